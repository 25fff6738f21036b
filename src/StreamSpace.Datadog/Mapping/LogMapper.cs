using AgentlessDatadog;
using Microsoft.Extensions.Logging;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// What happened on the platform, as log entries: one for each transition of a session and for each thing that a user did, each
/// in the trace that tells of it. docs/logs.md has them as a table.
/// </summary>
internal sealed class LogMapper(DatadogConfig config)
{
    private readonly PlatformTags _tags = new(config);
    private readonly List<LogEntry> _entries = [];

    /// <summary>The entries of the facts seen so far.</summary>
    public IReadOnlyList<LogEntry> Entries => _entries;

    /// <summary>Adds what <paramref name="fact"/> says; nothing when logs are switched off.</summary>
    /// <param name="fact">What happened.</param>
    /// <param name="trace">The trace that tells of it, or null.</param>
    public void Add(PlatformFact fact, SessionTrace? trace)
    {
        if (!config.EnableLogs)
        {
            return;
        }
        switch (fact)
        {
            case SessionFact ofSession:
                Add(ofSession, trace);
                break;
            case UserFact ofUser:
                Add(ofUser);
                break;
        }
    }

    private void Add(SessionFact fact, SessionTrace? trace)
    {
        var session = fact.Session;
        var running = session.RunningTime(fact.At);
        var (name, done) = fact switch
        {
            SessionCreated => ("session.requested", (EventText)$"was asked for"),
            SessionStarted => ("session.ready", $"is ready after {Spoken.Of(running)}"),
            SessionHibernated => ("session.asleep", $"fell asleep after {Spoken.Of(running)} of running time"),
            SessionWoken => ("session.awake", $"woke up"),
            SessionFailed failed => ("session.failed", $"failed: {failed.Reason ?? FactMapper.ReasonOf(failed.Cause)}"),
            SessionEnded => ("session.ended", $"ended after {Spoken.Of(running)} of running time"),
            _ => (null, (EventText)$""),
        };
        if (name is null)
        {
            return;
        }
        var failure = fact as SessionFailed;
        var of = session.Template is { } template ? (EventText)$" of template {template}" : $"";
        _entries.Add(
            new LogEntry($"Session {session.Id}{of} for {_tags.Spoken(session.User)} {done}.", fact.At)
            {
                Level = failure is null ? LogLevel.Information : LogLevel.Error,
                Source = "streamspace",
                Attributes =
                [
                    new("evt.name", name),
                    .. _tags.AttributesOf(session),
                    new("running_seconds", running.TotalSeconds),
                    .. failure is null ? [] : FactMapper.AttributesOf(failure),
                ],
                Error = failure is null ? null : FactMapper.ErrorOf(failure),
                TraceId = trace?.TraceId ?? 0,
                SpanId = trace?.RootId ?? 0,
            }
        );
    }

    private void Add(UserFact fact)
    {
        var (name, done) = fact switch
        {
            UserCreated => ("user.created", "was created"),
            UserDeleted => ("user.deleted", "was deleted"),
            UserLoggedIn => ("user.logged_in", "logged in"),
            UserLoggedOut => ("user.logged_out", "logged out"),
            _ => (null, null),
        };
        if (name is null)
        {
            return;
        }
        _entries.Add(
            new LogEntry($"{_tags.Spoken(fact.User)} {done}.", fact.At)
            {
                Source = "streamspace",
                Attributes = [new("evt.name", name), .. _tags.AttributesOf(fact.User)],
            }
        );
    }
}
