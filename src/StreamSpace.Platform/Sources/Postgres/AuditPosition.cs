namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Ids below the highest one seen that were not visible yet.</summary>
/// <param name="Low">The first.</param>
/// <param name="High">The last.</param>
/// <param name="Since">By the server's clock: when they were first missed.</param>
internal sealed record AuditHole(long Low, long High, DateTimeOffset Since);

/// <summary>
/// How far audit_log was seen: everything up to <see cref="High"/> except the holes. A row takes its id when it is
/// begun and shows when it is committed, so ids show out of order (docs/reference/streamspace.md §5.4); a hole is asked
/// for again and again until its row shows, or until it is so old that the row must have been lost.
/// </summary>
internal sealed class AuditPosition
{
    /// <summary>A row that has not shown by then was lost: the API's transaction was rolled back, or it died.</summary>
    public static readonly TimeSpan HoleFor = TimeSpan.FromHours(1);

    /// <summary>More holes than this are not asked for: the oldest are given up.</summary>
    public const int MostHoles = 10_000;

    private readonly List<AuditHole> _holes;

    /// <summary>Begins with what was seen.</summary>
    /// <param name="high">The highest id that was seen; 0 for none.</param>
    /// <param name="anchor">The time in that row, or null when it was not read.</param>
    /// <param name="holes">By id.</param>
    public AuditPosition(long high, DateTime? anchor = null, IEnumerable<AuditHole>? holes = null)
    {
        High = high;
        Anchor = anchor;
        _holes = [.. holes ?? []];
    }

    /// <summary>The highest id that was seen.</summary>
    public long High { get; private set; }

    /// <summary>
    /// The time in the row of <see cref="High"/>: another time in the row of that id means another database.
    /// </summary>
    public DateTime? Anchor { get; private set; }

    /// <summary>What is missed below <see cref="High"/>, by id.</summary>
    public IReadOnlyList<AuditHole> Holes => _holes;

    /// <summary>True when the ids that we know are not those of this database: it was emptied, restored or made anew.</summary>
    public bool IsOvertakenBy(PostgresPoll poll) =>
        (poll.NewestId ?? 0) < High || (Anchor is { } anchor && poll.Anchor is { } found && found != anchor);

    /// <summary>Takes rows that were not seen before, by id, and gives up on holes that are too old.</summary>
    /// <param name="rows">What a poll saw beyond <see cref="High"/> and in the holes.</param>
    /// <param name="now">The server's clock at that poll.</param>
    /// <returns>How many holes were given up because there were too many.</returns>
    public int Take(IReadOnlyList<AuditRow> rows, DateTimeOffset now)
    {
        foreach (var row in rows)
        {
            if (row.Id <= High)
            {
                Fill(row.Id);
                continue;
            }
            if (row.Id > High + 1)
            {
                _holes.Add(new AuditHole(High + 1, row.Id - 1, now));
            }
            (High, Anchor) = (row.Id, row.Start);
        }
        _holes.RemoveAll(h => now - h.Since > HoleFor);
        var surplus = Math.Max(_holes.Count - MostHoles, 0);
        _holes.RemoveRange(0, surplus);
        return surplus;
    }

    private void Fill(long id)
    {
        var at = _holes.FindIndex(h => h.Low <= id && id <= h.High);
        if (at < 0)
        {
            return;
        }
        var hole = _holes[at];
        _holes.RemoveAt(at);
        if (id < hole.High)
        {
            _holes.Insert(at, hole with { Low = id + 1 });
        }
        if (hole.Low < id)
        {
            _holes.Insert(at, hole with { High = id - 1 });
        }
    }
}
