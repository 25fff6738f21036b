using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// How the sessions of StreamSpace 2 stand, by their rows. Each poll takes those that were changed since the one before,
/// with an overlap, for the API's clock is another and a row may show late; and a page of those that are open, round and
/// round: one that is missing in a whole round has gone with its user, or was deleted.
/// </summary>
internal sealed class SessionTableScan
{
    /// <summary>States that a session is in before its end (docs/reference/streamspace.md §8.2).</summary>
    public static readonly string[] OpenStates =
    [
        "pending",
        "starting",
        "running",
        "waking",
        "hibernating",
        "hibernated",
    ];

    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(2);

    private readonly PostgresOptions _options;
    private readonly Dictionary<string, Reported> _reported = new(StringComparer.Ordinal);
    private readonly HashSet<string> _inThisRound = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unknownStates = new(StringComparer.Ordinal);
    private string _after = "";

    // True once every open row was seen in this process.
    private bool _allKnown;

    // Where the next poll goes on when the last one left some behind, by the API's wall clock.
    private DateTime? _leftAt;

    /// <summary>Goes on from a checkpoint.</summary>
    public SessionTableScan(PostgresOptions options, PostgresCheckpoint checkpoint)
    {
        _options = options;
        (Since, ReadAt) = (checkpoint.SessionsSince, checkpoint.SessionsReadAt);
    }

    /// <summary>By the server's clock: since when rows are read. What was made before is nobody's news.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>By the server's clock: up to when every row is known, or null before the first round.</summary>
    public DateTimeOffset? ReadAt { get; private set; }

    /// <summary>True while the last poll left rows behind: another should follow soon.</summary>
    public bool Behind => _leftAt is not null || (!_allKnown && _after.Length > 0);

    /// <summary>States in which sessions were found and which mean nothing to us.</summary>
    public IReadOnlyCollection<string> UnknownStates => _unknownStates;

    /// <summary>Where the next poll goes on.</summary>
    public SessionsCursor Cursor =>
        new(
            _after,
            _leftAt ?? (ReadAt - Overlap is { } since ? _options.Wall(since) : null),
            _allKnown ? PostgresStatements.SessionPage : PostgresStatements.FirstSessionPage
        );

    /// <summary>What a witness that has looked says at the start: up to when every row is known.</summary>
    public SessionsWatched? Watched => ReadAt is { } read ? new SessionsWatched(read) { Witness = Witness.Row } : null;

    /// <summary>Version 1 was read: of version 2 there was nothing up to now.</summary>
    public void Nothing(DateTimeOffset now)
    {
        Since ??= now;
        ReadAt = now;
        _allKnown = true;
    }

    /// <summary>Takes the answer to <see cref="Cursor"/>.</summary>
    /// <param name="rows">Those that were changed, and the page.</param>
    /// <param name="now">The server's clock.</param>
    /// <returns>How sessions stand that stand otherwise than before, and once a round is whole, which there are.</returns>
    public IReadOnlyList<Observation> Take(IReadOnlyList<SessionRow> rows, DateTimeOffset now)
    {
        var size = Cursor.PageSize;
        var seen = new List<Observation>();
        Since ??= now;
        foreach (var row in rows.Where(r => Names.Of(r.Id) is not null))
        {
            Take(row, now, seen);
        }
        var changed = rows.Where(r => !r.IsOfPage).ToList();
        _leftAt = changed.Count < PostgresStatements.FirstSessionPage ? null : changed[^1].UpdatedAt;
        var page = rows.Where(r => r.IsOfPage).ToList();
        if (page.Count < size)
        {
            EndRound(now, seen);
        }
        else
        {
            _after = page[^1].Id;
        }
        if (_leftAt is null && (_allKnown || ReadAt is not null))
        {
            ReadAt = now;
            seen.Add(Watched!);
        }
        return seen;
    }

    private void Take(SessionRow row, DateTimeOffset now, List<Observation> seen)
    {
        // A row that version 1 left says nothing about its session.
        if (!row.HasAgent)
        {
            return;
        }
        if (StatusOf(row.State) is not { } status)
        {
            _unknownStates.Add(row.State ?? "");
            return;
        }
        _inThisRound.Add(row.Id);
        var before = _reported.GetValueOrDefault(row.Id);
        if (before?.Status == status)
        {
            return;
        }
        var created = row.CreatedAt is { } at ? _options.At(at) : now;
        // Batch routes change a state and leave the time as it was.
        var since = row.UpdatedAt is { } updated && updated != before?.UpdatedAt ? _options.At(updated) : now;
        var isNew = before?.IsNew ?? IsNew(status, created);
        _reported[row.Id] = new Reported(status, row.UpdatedAt, isNew);
        var told = new StatusReported(row.Id, status is ReportedStatus.Requested ? created : since, status)
        {
            User = new PlatformUser(row.UserId, null),
            Template = row.Template,
            Platform = row.Platform,
            Witness = Witness.Row,
            Uid = row.Id,
            CreatedAt = created,
            LookedBefore = isNew,
        };
        seen.Add(told);
        if (status is ReportedStatus.Failed)
        {
            // StreamSpace is done with it.
            seen.Add(told with { Status = ReportedStatus.Ended });
        }
    }

    // An open one that was not in a round before has come since; of one that has ended only its time tells.
    private bool IsNew(ReportedStatus status, DateTimeOffset created) =>
        ReadAt is { } read
        && (
            (_allKnown && status is not (ReportedStatus.Failed or ReportedStatus.Ended))
            || created > Later(read - Overlap, Since!.Value)
        );

    private void EndRound(DateTimeOffset now, List<Observation> seen)
    {
        seen.Add(new SessionsListed(_inThisRound.ToHashSet(StringComparer.Ordinal), now) { Witness = Witness.Row });
        foreach (var id in _reported.Keys.Where(id => !_inThisRound.Contains(id)).ToList())
        {
            _reported.Remove(id);
        }
        _inThisRound.Clear();
        (_after, _allKnown) = ("", true);
    }

    private static ReportedStatus? StatusOf(string? state) =>
        state switch
        {
            "pending" or "starting" => ReportedStatus.Requested,
            // Nobody says when it is awake.
            "running" or "waking" => ReportedStatus.Running,
            "hibernating" or "hibernated" => ReportedStatus.Hibernated,
            "failed" => ReportedStatus.Failed,
            "terminating" or "terminated" or "deleted" => ReportedStatus.Ended,
            _ => null,
        };

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private sealed record Reported(ReportedStatus Status, DateTime? UpdatedAt, bool IsNew);
}
