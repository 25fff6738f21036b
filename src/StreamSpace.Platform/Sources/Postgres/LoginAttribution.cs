using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// Says who logged in. The row of a log-in names nobody, but the user's last_login was set while the request ran,
/// by the same clock (docs/reference/streamspace.md §5.3, §5.4). Of two log-ins of one user between two polls only the
/// later one is known by name.
/// </summary>
internal sealed class LoginAttribution
{
    private static readonly TimeSpan RememberFor = TimeSpan.FromHours(2);

    // By user id: the last log-in that has found its row. It must not name another.
    private readonly Dictionary<string, DateTime> _told = new(StringComparer.Ordinal);

    /// <summary>The earliest that the user's last_login can be. A column rounds to the microsecond.</summary>
    public static DateTime Begin(AuditRow row) => row.Start.AddMilliseconds(-1);

    /// <summary>The latest that the user's last_login can be: the duration is whole milliseconds, rounded down.</summary>
    public static DateTime End(AuditRow row) => row.Start.Add(row.Took).AddMilliseconds(2);

    /// <summary>The user of each log-in for whom there is one, by the id of its row.</summary>
    /// <remarks>
    /// Log-ins that overlap may change places among themselves, which changes no count: each user is named once
    /// for each last_login, and as many log-ins are named as can be.
    /// </remarks>
    public IReadOnlyDictionary<long, PlatformUser> Name(IEnumerable<AuditRow> logIns, IEnumerable<LastLogin> last)
    {
        var free = last.Where(l => !_told.TryGetValue(l.User.Id!, out var told) || told != l.At)
            .OrderBy(l => l.At)
            .ToList();
        var named = new Dictionary<long, PlatformUser>();
        foreach (var row in logIns.OrderBy(End))
        {
            var (begin, end) = (Begin(row), End(row));
            if (free.FindIndex(l => l.At >= begin) is >= 0 and var at && free[at].At <= end)
            {
                named[row.Id] = free[at].User;
                _told[free[at].User.Id!] = free[at].At;
                free.RemoveAt(at);
            }
        }
        if (_told.Count > PostgresStatements.UserPage)
        {
            var horizon = _told.Values.Max() - RememberFor;
            foreach (var (id, _) in _told.Where(t => t.Value < horizon).ToList())
            {
                _told.Remove(id);
            }
        }
        return named;
    }
}
