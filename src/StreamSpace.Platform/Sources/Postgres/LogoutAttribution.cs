namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// Guesses who logged out. The row of a log-out names nobody; the requests before it from the same address may.
/// Where two users were seen on one address (an office behind one router), nobody is named rather than the wrong one.
/// </summary>
internal sealed class LogoutAttribution
{
    private const int MostAddresses = 10_000;
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(15);

    private readonly Dictionary<string, Visit> _byAddress = new(StringComparer.Ordinal);

    /// <summary>The user id of each log-out for whom there is one, by the id of its row.</summary>
    /// <param name="rows">All rows of a poll, requests included.</param>
    public IReadOnlyDictionary<long, string> Name(IEnumerable<AuditRow> rows)
    {
        var named = new Dictionary<long, string>();
        foreach (var row in rows.Where(r => r.Address is not null).OrderBy(r => r.Start))
        {
            if (row.UserId is { } user)
            {
                Saw(row.Address!, user, row.Start);
            }
            else if (row.Kind is AuditKind.LogOut && Only(row.Address!, row.Start) is { } who)
            {
                named[row.Id] = who;
                _byAddress.Remove(row.Address!);
            }
        }
        return named;
    }

    private void Saw(string address, string user, DateTime at)
    {
        if (_byAddress.TryGetValue(address, out var visit))
        {
            _byAddress[address] =
                visit.User == user ? visit with { At = at } : new Visit(user, at) { AnotherUntil = visit.At };
            return;
        }
        if (_byAddress.Count >= MostAddresses)
        {
            foreach (var (old, _) in _byAddress.Where(v => at - v.Value.At > Recent).ToList())
            {
                _byAddress.Remove(old);
            }
        }
        if (_byAddress.Count < MostAddresses)
        {
            _byAddress[address] = new Visit(user, at);
        }
    }

    private string? Only(string address, DateTime at) =>
        _byAddress.TryGetValue(address, out var visit)
        && at - visit.At <= Recent
        && !(at - visit.AnotherUntil <= Recent)
            ? visit.User
            : null;

    private sealed record Visit(string User, DateTime At)
    {
        public DateTime? AnotherUntil { get; init; }
    }
}
