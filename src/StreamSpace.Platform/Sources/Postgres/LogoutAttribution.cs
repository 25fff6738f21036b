using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// Says who logged out, where that can be said: the row of a log-out names nobody, and anyone may call its route without a
/// token (docs/reference/streamspace.md §5.4). It is named after the user whose log-in from that address is still open, when
/// nobody else is seen there: rather nobody than the wrong one.
/// </summary>
internal sealed class LogoutAttribution
{
    private const int MostVisits = 10_000;
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(15);

    // A token is good for so long (docs/reference/streamspace.md §6.1).
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(24);

    private readonly Dictionary<(string Address, string User), Visit> _visits = [];

    /// <summary>The user id of each log-out for whom there is one, by the id of its row.</summary>
    /// <param name="rows">All rows of a poll, requests included.</param>
    /// <param name="logins">Who logged in, by the id of the row.</param>
    public IReadOnlyDictionary<long, string> Name(
        IEnumerable<AuditRow> rows,
        IReadOnlyDictionary<long, PlatformUser> logins
    )
    {
        var named = new Dictionary<long, string>();
        foreach (var row in rows.Where(r => r.Address is not null).OrderBy(r => r.Start))
        {
            var address = row.Address!;
            if (row.Kind is AuditKind.LogIn)
            {
                // One whose user is not known is somebody all the same.
                Saw(address, logins.GetValueOrDefault(row.Id)?.Id ?? "", row.Start, isLogin: true);
            }
            else if (row.UserId is { } user)
            {
                Saw(address, user, row.Start, isLogin: false);
            }
            else if (row.Kind is AuditKind.LogOut && Only(address, row.Start) is { } who)
            {
                _visits.Remove((address, who));
                if (who.Length > 0)
                {
                    named[row.Id] = who;
                }
            }
        }
        return named;
    }

    private void Saw(string address, string user, DateTime at, bool isLogin)
    {
        var visit = _visits.GetValueOrDefault((address, user));
        if (visit is null && _visits.Count >= MostVisits)
        {
            foreach (var (old, _) in _visits.Where(v => !v.Value.IsPresent(at)).ToList())
            {
                _visits.Remove(old);
            }
        }
        if (visit is not null || _visits.Count < MostVisits)
        {
            _visits[(address, user)] = new Visit(at, isLogin ? at : visit?.LoggedInAt);
        }
    }

    // The only user who is there, if it is one who has logged in.
    private string? Only(string address, DateTime at) =>
        _visits.Where(v => v.Key.Address == address && v.Value.IsPresent(at)).Take(2).ToList() is [var (key, visit)]
        && visit.IsLoggedIn(at)
            ? key.User
            : null;

    private sealed record Visit(DateTime SeenAt, DateTime? LoggedInAt)
    {
        public bool IsLoggedIn(DateTime at) => at - LoggedInAt <= TokenLifetime;

        public bool IsPresent(DateTime at) => at - SeenAt <= Recent || IsLoggedIn(at);
    }
}
