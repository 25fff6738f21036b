namespace AgentlessDatadog;

/// <summary>Where every unit of every lane is. Any thread.</summary>
internal sealed class Ledger
{
    // Reasons carry a server's words; what they say must not fill the memory.
    private const int MaxReasons = 50;
    private const string OtherReasons = "other reasons";

    private readonly Lock _lock = new();
    private readonly Dictionary<Lane, Dictionary<Account, long>> _units = [];
    private readonly Dictionary<Lane, Dictionary<string, long>> _reasons = [];
    private readonly Dictionary<Lane, long> _accepted = [];

    /// <summary>Books moves together: no reader sees some of them without the others.</summary>
    public void Book(IReadOnlyList<LedgerMove> moves)
    {
        lock (_lock)
        {
            foreach (var move in moves)
                Book(move);
        }
    }

    public LaneLedger Of(Lane lane)
    {
        lock (_lock)
        {
            var units = _units.GetValueOrDefault(lane) ?? [];
            return new LaneLedger(
                _accepted.GetValueOrDefault(lane),
                units.GetValueOrDefault(Account.Delivered),
                units.GetValueOrDefault(Account.Queued),
                units.GetValueOrDefault(Account.Overflowed),
                units.GetValueOrDefault(Account.Expired),
                units.GetValueOrDefault(Account.Rejected),
                units.GetValueOrDefault(Account.Uncertain),
                new Dictionary<string, long>(_reasons.GetValueOrDefault(lane) ?? [])
            );
        }
    }

    private void Book(LedgerMove move)
    {
        var units = Entry(_units, move.Lane);
        if (move.To == Account.Queued)
            _accepted[move.Lane] = _accepted.GetValueOrDefault(move.Lane) + move.Units;
        else
            units[Account.Queued] = units.GetValueOrDefault(Account.Queued) - move.Units;
        units[move.To] = units.GetValueOrDefault(move.To) + move.Units;
        if (move.Reason is not null)
            BookReason(Entry(_reasons, move.Lane), move.Reason, move.Units);
    }

    private static void BookReason(Dictionary<string, long> reasons, string reason, long units)
    {
        var name = reasons.ContainsKey(reason) || reasons.Count < MaxReasons ? reason : OtherReasons;
        reasons[name] = reasons.GetValueOrDefault(name) + units;
    }

    private static Dictionary<TKey, long> Entry<TKey>(Dictionary<Lane, Dictionary<TKey, long>> all, Lane lane)
        where TKey : notnull
    {
        if (!all.TryGetValue(lane, out var entry))
            all.Add(lane, entry = []);
        return entry;
    }
}
