using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// What was seen of the database so far, and what a further poll adds to it. It asks nothing and keeps nothing:
/// polls come in, observations and checkpoints go out.
/// </summary>
internal sealed class PollProgress
{
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(1);

    private readonly PostgresOptions _options;
    private readonly ILogger _logger;
    private readonly LoginAttribution _logins = new();
    private readonly LogoutAttribution _logouts = new();
    private readonly CreateAnswers _creates;
    private UserTableScan _users;
    private AuditPosition? _audit;
    private readonly SessionTableScan _sessions;
    private string _afterDescribed = "";
    private DateTimeOffset _checkpointAt = DateTimeOffset.MinValue;

    /// <summary>Goes on from a checkpoint; from nothing when there is none, or when it cannot be read.</summary>
    public PollProgress(PostgresOptions options, string? checkpoint, ILogger logger)
    {
        _options = options;
        _logger = logger;
        var kept = PostgresCheckpoint.None;
        try
        {
            kept = checkpoint is null ? kept : PostgresCheckpoint.Parse(checkpoint);
        }
        catch (JsonException e)
        {
            logger.LogError(
                e,
                "The checkpoint of the PostgreSQL source cannot be read: it begins anew, and counts from now."
            );
        }
        _creates = new CreateAnswers(options);
        _users = new UserTableScan(options, kept.Accounts);
        _sessions = new SessionTableScan(options, kept);
        _audit = kept.High is { } high ? new AuditPosition(high, kept.Anchor, kept.Holes) : null;
    }

    /// <summary>How many accounts there are, once known.</summary>
    public int? Users => _users.Total;

    /// <summary>How many users of the last page have a name that is too long to be taken.</summary>
    public int LongNames { get; private set; }

    /// <summary>True when the last poll left rows of audit_log behind: another should follow soon.</summary>
    public bool IsBehindAudit { get; private set; }

    /// <summary>True when the last poll left rows of sessions behind: what is told of them is of different moments.</summary>
    public bool IsBehindSessions => _sessions.Behind;

    /// <summary>Whose tables the last poll read.</summary>
    public StreamSpaceVersion Version { get; private set; }

    /// <summary>The agents of version 2, as of the last poll; null where there are none or they may not be read.</summary>
    public IReadOnlyList<AgentRow>? Agents { get; private set; }

    /// <summary>States of sessions that mean nothing to us.</summary>
    public IReadOnlyCollection<string> UnknownStates => _sessions.UnknownStates;

    /// <summary>What is known before anything is asked, from the checkpoint.</summary>
    public Observation? Known => _sessions.Watched;

    /// <summary>
    /// How far the newest rows' times are behind the server's clock, when that is more than requests can explain:
    /// the zone is set wrongly, or a clock is.
    /// </summary>
    public TimeSpan? ClockGap { get; private set; }

    /// <summary>What to ask next.</summary>
    public PollCursor Cursor(PostgresPrivileges privileges) =>
        new(
            privileges,
            _audit,
            _users.After,
            privileges.Version is StreamSpaceVersion.V2
                ? _sessions.Cursor
                : new SessionsCursor(_afterDescribed, Since: null, PostgresStatements.SessionPage)
        );

    /// <summary>Adds a poll.</summary>
    /// <param name="poll">The answer to <see cref="Cursor"/>.</param>
    /// <param name="sinceLast">The time between the polls, in which the newest rows have come.</param>
    /// <returns>What it shows, and a checkpoint when that is worth keeping.</returns>
    public (IReadOnlyList<Observation> Seen, string? Checkpoint) Add(PostgresPoll poll, TimeSpan sinceLast)
    {
        var readable = poll.Privileges.Include(RequiredColumns.Audit);
        if (readable && _audit?.IsOvertakenBy(poll) == true)
        {
            _logger.LogWarning(
                "audit_log is another one: its newest id is {Newest} where {High} was reached, or that row has another time. It was emptied or restored; counting goes on from here.",
                poll.NewestId ?? 0,
                _audit.High
            );
            (_audit, _users, IsBehindAudit) = (null, new UserTableScan(_options, keys: null), false);
            poll = poll with { Users = null };
        }
        var begun = readable && _audit is null;
        var seen = new List<Observation>();
        if (poll.Users is { } users)
        {
            seen.AddRange(_users.Take(users, poll.Now));
            LongNames = users.Count(user => user.NameIsTooLong);
        }
        if (poll.Audit is { } rows && _audit is { } position)
        {
            AddAudit(rows, position, poll, sinceLast, seen);
        }
        else if (begun)
        {
            _audit = new AuditPosition(poll.NewestId ?? 0);
        }
        var facts = seen.Exists(s => s is UserActed or UsersTotalled);
        AddSessions(poll, seen);
        (Version, Agents) = (poll.Version, poll.Agents);

        // Between two facts nothing is lost by going back to the first: only a long way back is worth avoiding.
        if (!facts && !begun && poll.Now - _checkpointAt < CheckpointEvery && poll.Now >= _checkpointAt)
        {
            return (seen, null);
        }
        _checkpointAt = poll.Now;
        var checkpoint = new PostgresCheckpoint(_audit?.High, _audit?.Anchor, _audit?.Holes ?? [], _users.Keys)
        {
            SessionsSince = _sessions.Since,
            SessionsReadAt = _sessions.ReadAt,
        };
        return (seen, checkpoint.ToString());
    }

    private void AddAudit(
        IReadOnlyList<AuditRow> rows,
        AuditPosition position,
        PostgresPoll poll,
        TimeSpan sinceLast,
        List<Observation> seen
    )
    {
        var before = position.High;
        var surplus = position.Take(rows, poll.Now);
        if (surplus > 0)
        {
            _logger.LogWarning(
                "More than {Most} ids of audit_log are missing: the oldest {Surplus} of them are given up.",
                AuditPosition.MostHoles,
                surplus
            );
        }
        var fresh = rows.Where(r => r.Id > before).ToList();
        IsBehindAudit = fresh.Count >= PostgresStatements.AuditPage;
        if (fresh.Count > 0 && !IsBehindAudit)
        {
            var gap = poll.Now - _options.At(fresh.Max(r => r.Start));
            ClockGap = gap.Duration() > sinceLast + TimeSpan.FromMinutes(5) ? gap : null;
        }

        // In version 2 a request is refused for other reasons, too.
        if (poll.Version is StreamSpaceVersion.V1 && _creates.Take(rows) is { } answered)
        {
            seen.Add(answered);
        }

        var loggedIn = _logins.Name(rows.Where(r => r.Kind is AuditKind.LogIn), poll.LastLogins);
        var loggedOut = _logouts.Name(rows, loggedIn);
        foreach (var row in rows)
        {
            var at = _options.At(row.Start);
            switch (row.Kind)
            {
                case AuditKind.LogIn:
                    var user = loggedIn.GetValueOrDefault(row.Id, PlatformUser.Unknown);
                    seen.Add(new UserActed(FactId(row), UserAct.LoggedIn, user, at));
                    break;
                case AuditKind.LogOut:
                    var who = new PlatformUser(loggedOut.GetValueOrDefault(row.Id), null);
                    seen.Add(new UserActed(FactId(row), UserAct.LoggedOut, who, at));
                    break;
            }
        }
    }

    private void AddSessions(PostgresPoll poll, List<Observation> seen)
    {
        if (poll.Version is StreamSpaceVersion.V1)
        {
            _sessions.Nothing(poll.Now);
        }
        if (poll.Sessions is not { } page)
        {
            return;
        }
        if (poll.Privileges.Version is StreamSpaceVersion.V2)
        {
            seen.AddRange(_sessions.Take(page, poll.Now));
            return;
        }
        seen.AddRange(
            page.Where(row => Names.Of(row.Id) is not null)
                .Select(row => new SessionDescribed(row.Id, poll.Now)
                {
                    User = new PlatformUser(row.UserId, null),
                    Template = row.Template,
                    Platform = row.Platform,
                    CreatedAt = row.CreatedAt is { } created ? _options.At(created) : null,
                })
        );
        _afterDescribed = page.Count < PostgresStatements.SessionPage ? "" : page[^1].Id;
    }

    // With the time, for ids begin anew when the table does.
    private static string FactId(AuditRow row) =>
        string.Create(CultureInfo.InvariantCulture, $"audit/{row.Id}@{row.Start:O}");
}
