namespace AgentlessDatadog;

/// <summary>A write that a store has not taken yet.</summary>
/// <param name="what">Arrivals, a cut or a settlement.</param>
internal sealed class HeldWrite(object what)
{
    public object What { get; set; } = what;

    /// <summary>The store is at it, so that it must stay as it is; null: it is not.</summary>
    public Task? UnderWay { get; set; }
}

/// <summary>
/// Writes for a store that does not take them, in an order of which every beginning leaves the store whole: arrivals and
/// cuts as they came, then settlements. What a later one makes needless is folded away, so that a store may fail for
/// long while everything still gets through. Its owner locks.
/// </summary>
internal sealed class HeldWrites
{
    // About what a measurement and an id take in memory.
    private const int MeasurementSize = 200;
    private const int IdSize = 48;

    private readonly List<HeldWrite> _log = [];
    private readonly List<HeldWrite> _settlements = [];

    /// <summary>About how much memory they take.</summary>
    public long Bytes => _log.Sum(held => SizeOf(held.What));

    /// <summary>What the store has to take next, or null when it has everything.</summary>
    public HeldWrite? Next => _log.FirstOrDefault() ?? _settlements.FirstOrDefault();

    public void Add(object what, Task? underWay = null)
    {
        if (what is Settlement settlement)
        {
            if (underWay is not null || !FoldInto(settlement))
                _settlements.Add(new HeldWrite(settlement) { UnderWay = underWay });
            else if (settlement.Lost.Count > 0)
                Lose(settlement.Lost);
            return;
        }
        if (what is Cut cut && underWay is null)
            what = Fold(cut);
        _log.Insert(_log.Count - _log.Count(IsAfter), new HeldWrite(what) { UnderWay = underWay });

        bool IsAfter(HeldWrite held) => what is Cut c && held.What is Arrivals a && a.Journal.Sequence > c.Sequence;
    }

    /// <summary>The store has taken it.</summary>
    public void Remove(HeldWrite held)
    {
        if (!_log.Remove(held))
            _settlements.Remove(held);
    }

    /// <summary>The body of a request, or null when it is not among them.</summary>
    public ReadOnlyMemory<byte>? Body(long payload) =>
        _log.SelectMany(held => PayloadsOf(held.What)).FirstOrDefault(p => p.Header.Id == payload)?.Body;

    public static long SizeOf(object what) =>
        PayloadsOf(what).Sum(payload => (long)payload.Header.Size)
        + what switch
        {
            Arrivals arrivals => (arrivals.Journal.Measurements.Count * MeasurementSize)
                + (arrivals.Seen.Count * IdSize),
            Cut cut => cut.Forget.Renewed.Count * IdSize,
            _ => 0,
        };

    // The cut stands for the journal up to it: of what came before only the requests, the moves and the ids are left.
    private Cut Fold(Cut cut)
    {
        List<Payload> payloads = [];
        List<LedgerMove> moves = [];
        List<SeenId> seen = [];
        List<SeenId> renewed = [];
        List<Loss> told = [];
        JournalEntry? last = null;
        foreach (var held in _log.Where(held => held.UnderWay is null).ToList())
        {
            if (held.What is Arrivals later && later.Journal.Sequence > cut.Sequence)
                continue;
            if (held.What is Arrivals arrivals)
            {
                seen.AddRange(arrivals.Seen);
                last = arrivals.Journal;
            }
            if (held.What is Cut before)
            {
                renewed.AddRange(before.Forget.Renewed);
                told.AddRange(before.Told);
            }
            payloads.AddRange(PayloadsOf(held.What));
            moves.AddRange(MovesOf(held.What));
            _log.Remove(held);
        }
        // The store has to learn the last sequence, too. Nothing in it is before a cut that it has not seen.
        if (last is not null)
        {
            var ids = new Arrivals(last with { Measurements = [] }, [], [.. seen.Where(cut.Forget.Keeps)], []);
            _log.Insert(_log.FindLastIndex(held => held.UnderWay is not null) + 1, new HeldWrite(ids));
        }
        return cut with
        {
            Payloads = [.. payloads, .. cut.Payloads],
            Moves = Sum([.. moves, .. cut.Moves]),
            Forget = cut.Forget with { Renewed = [.. renewed, .. cut.Forget.Renewed] },
            Told = Losses.Sum([.. told, .. cut.Told]),
        };
    }

    private void Lose(IReadOnlyList<Loss> lost)
    {
        var held = _settlements.Find(held => held is { UnderWay: null, What: Settlement { Payloads: [] } });
        if (held is null)
            _settlements.Add(held = new HeldWrite(new Settlement([], [])));
        var sum = (Settlement)held.What;
        held.What = sum with { Lost = Losses.Sum([.. sum.Lost, .. lost]) };
    }

    // What was sent before the store had it never gets there.
    private bool FoldInto(Settlement settlement)
    {
        var ids = settlement.Payloads.ToHashSet();
        var held = _log.Find(held =>
            held.UnderWay is null && PayloadsOf(held.What).Count(p => ids.Contains(p.Header.Id)) == ids.Count
        );
        if (held is null)
            return false;
        List<Payload> left = [.. PayloadsOf(held.What).Where(p => !ids.Contains(p.Header.Id))];
        var moves = Sum([.. MovesOf(held.What), .. settlement.Moves]);
        held.What = held.What is Cut cut
            ? cut with
            {
                Payloads = left,
                Moves = moves,
            }
            : (Arrivals)held.What with
            {
                Payloads = left,
                Moves = moves,
            };
        return true;
    }

    private static IReadOnlyList<Payload> PayloadsOf(object what) =>
        what switch
        {
            Cut cut => cut.Payloads,
            Arrivals arrivals => arrivals.Payloads,
            _ => [],
        };

    private static IReadOnlyList<LedgerMove> MovesOf(object what) =>
        what switch
        {
            Cut cut => cut.Moves,
            Arrivals arrivals => arrivals.Moves,
            _ => [],
        };

    private static List<LedgerMove> Sum(List<LedgerMove> moves) =>
        [
            .. moves
                .GroupBy(move => move with { Units = 0 })
                .Select(same => same.Key with { Units = same.Sum(move => move.Units) }),
        ];
}
