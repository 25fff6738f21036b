using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store;

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
            {
                Book(move);
            }
        }
    }

    /// <summary>
    /// The reason under which units are booked, here and in the store: the given one, or beyond some number one that
    /// stands for all others.
    /// </summary>
    public string? Name(Lane lane, string? reason)
    {
        if (reason is null)
        {
            return null;
        }

        lock (_lock)
        {
            var reasons = Entry(_reasons, lane);
            return reasons.ContainsKey(reason) || reasons.Count < MaxReasons ? reason : OtherReasons;
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
        {
            _accepted[move.Lane] = _accepted.GetValueOrDefault(move.Lane) + move.Units;
        }
        else
        {
            units[Account.Queued] = units.GetValueOrDefault(Account.Queued) - move.Units;
        }

        units[move.To] = units.GetValueOrDefault(move.To) + move.Units;
        if (Name(move.Lane, move.Reason) is not { } reason)
        {
            return;
        }

        var reasons = Entry(_reasons, move.Lane);
        reasons[reason] = reasons.GetValueOrDefault(reason) + move.Units;
    }

    private static Dictionary<TKey, long> Entry<TKey>(Dictionary<Lane, Dictionary<TKey, long>> all, Lane lane)
        where TKey : notnull
    {
        if (!all.TryGetValue(lane, out var entry))
        {
            all.Add(lane, entry = []);
        }

        return entry;
    }
}
