namespace AgentlessDatadog;

/// <summary>
/// Writes for a store that does not take them, in an order of which every beginning leaves the store whole: arrivals and
/// cuts as they came, then settlements. Small ones are put together, so that a store that works again has them soon. Its
/// owner locks.
/// </summary>
internal sealed class HeldWrites
{
    // Of arrivals that become one write.
    private const long MaxTogether = 256 * 1024;

    private readonly LinkedList<HeldWrite> _log = [];
    private readonly List<HeldWrite> _levels = [];
    private readonly List<HeldWrite> _settlements = [];
    private HeldWrite? _last;

    /// <summary>About how much memory the arrivals and cuts take.</summary>
    public long Bytes { get; private set; }

    /// <summary>What the store has to take next, or null when it has everything.</summary>
    public HeldWrite? Next => _log.First?.Value ?? _settlements.FirstOrDefault();

    /// <summary>Adds arrivals, a cut or a settlement; returns the write that it is part of.</summary>
    public HeldWrite Add(object what, Task? underWay) =>
        what switch
        {
            Settlement settlement => AddSettlement(settlement, underWay),
            Cut { IsOfLevels: true } levels => AddLevels(levels, underWay),
            Arrivals next when underWay is null && TogetherWith(next) is { } together => together,
            _ => _last = Append(new HeldWrite(what) { UnderWay = underWay }),
        };

    /// <summary>The store has taken it.</summary>
    public void Remove(HeldWrite held)
    {
        if (_log.Remove(held))
            Bytes -= held.Size;
        else
            _settlements.Remove(held);
        _levels.Remove(held);
        if (_last == held)
            _last = null;
    }

    /// <summary>The body of a request that is sent from here, or null when it is not among them.</summary>
    public ReadOnlyMemory<byte>? Body(long payload) =>
        _levels.SelectMany(held => ((Cut)held.What).Payloads).FirstOrDefault(p => p.Header.Id == payload)?.Body;

    // Of what was sent from here the store never hears.
    private HeldWrite AddSettlement(Settlement settlement, Task? underWay)
    {
        if (underWay is null && TakeOut(settlement) is { } levels)
        {
            if (settlement.Lost.Count > 0)
                Lose(settlement.Lost);
            return levels;
        }
        var held = new HeldWrite(settlement) { UnderWay = underWay };
        _settlements.Add(held);
        return held;
    }

    // Of one destination: a cut comes before another.
    private HeldWrite? TogetherWith(Arrivals next)
    {
        if (_last is not { UnderWay: null, What: Arrivals before } last)
            return null;
        if (last.Size + HeldWrite.SizeOf(next) > MaxTogether)
            return null;
        Replace(last, Together(before, next));
        return last;
    }

    // One write stands for all of them: none has anything of the journal, so that its place does not matter.
    private HeldWrite AddLevels(Cut cut, Task? underWay)
    {
        var waiting = _levels.Find(held => held.UnderWay is null);
        if (underWay is null && waiting is { What: Cut before })
        {
            Remove(waiting);
            cut = cut with
            {
                Payloads = [.. before.Payloads, .. cut.Payloads],
                Moves = Sum([.. before.Moves, .. cut.Moves]),
                Forget = cut.Forget with { Renewed = [.. before.Forget.Renewed, .. cut.Forget.Renewed] },
            };
        }
        var levels = Append(new HeldWrite(cut) { UnderWay = underWay });
        _levels.Add(levels);
        return levels;
    }

    private HeldWrite Append(HeldWrite held)
    {
        _log.AddLast(held);
        Bytes += held.Size;
        return held;
    }

    private void Replace(HeldWrite held, object what)
    {
        Bytes -= held.Size;
        held.What = what;
        Bytes += held.Size;
    }

    private static Arrivals Together(Arrivals one, Arrivals next) =>
        new(
            next.Journal with
            {
                Measurements = [.. one.Journal.Measurements, .. next.Journal.Measurements],
            },
            [.. one.Payloads, .. next.Payloads],
            [.. one.Seen, .. next.Seen],
            Sum([.. one.Moves, .. next.Moves])
        );

    private HeldWrite? TakeOut(Settlement settlement)
    {
        var ids = settlement.Payloads.ToHashSet();
        var held = _levels.Find(held =>
            held.UnderWay is null && ((Cut)held.What).Payloads.Count(p => ids.Contains(p.Header.Id)) == ids.Count
        );
        if (held is not { What: Cut cut })
            return null;
        Replace(
            held,
            cut with
            {
                Payloads = [.. cut.Payloads.Where(p => !ids.Contains(p.Header.Id))],
                Moves = Sum([.. cut.Moves, .. settlement.Moves]),
            }
        );
        return held;
    }

    private void Lose(IReadOnlyList<Loss> lost)
    {
        var held = _settlements.Find(held => held is { UnderWay: null, What: Settlement { Payloads: [] } });
        if (held is null)
            _settlements.Add(held = new HeldWrite(new Settlement([], [])));
        var sum = (Settlement)held.What;
        held.What = sum with { Lost = Losses.Sum([.. sum.Lost, .. lost]) };
    }

    private static List<LedgerMove> Sum(List<LedgerMove> moves) =>
        [
            .. moves
                .GroupBy(move => move with { Units = 0 })
                .Select(same => same.Key with { Units = same.Sum(move => move.Units) }),
        ];
}
