using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// What sessions went through, as traces: each start, stretch of running, sleep and end is one, complete and short, so that it
/// is there before the session is over. docs/traces.md has them as a table.
/// </summary>
internal sealed class SpanMapper(DatadogConfig config, TimeProvider clock)
{
    /// <summary>
    /// What began longer ago is cut to this: Datadog takes 18 h (docs/reference/datadog.md §5.3), and delivery takes time.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(17);

    private const string StartName = "streamspace.session.start";
    private const string RunName = "streamspace.session.run";
    private const string SleepName = "streamspace.session.sleep";
    private const string EndName = "streamspace.session.end";

    // Spans of hours would drown the latencies of the service.
    private readonly string _longService = $"{config.Service}-sessions";
    private readonly PlatformTags _tags = new(config);
    private readonly List<Span> _spans = [];

    /// <summary>The spans of the facts seen so far.</summary>
    public IReadOnlyList<Span> Spans => _spans;

    /// <summary>Adds what <paramref name="fact"/> tells to be over; nothing for what is switched off, or not sampled.</summary>
    /// <returns>The trace that the fact belongs to; null when it has none.</returns>
    public SessionTrace? Add(SessionFact fact)
    {
        var session = fact.Session;
        if (!config.EnableTraces || !SessionTrace.IsSampled(session, config.TraceSampleRate))
        {
            return null;
        }
        if (fact is SessionCreated)
        {
            return SessionTrace.Start(session);
        }
        SessionTrace? last = null;
        var passed = PassedBy(fact);
        var at = 0;
        while (at < passed.Count)
        {
            var name = NameOf(passed[at]);
            List<SessionStretch> run = [.. passed.Skip(at).TakeWhile(stretch => NameOf(stretch) == name)];
            at += run.Count;
            if (name is not null)
            {
                last = Add(fact, name, run, fact is SessionFailed failed && at == passed.Count ? failed : null);
            }
        }
        return last;
    }

    // Also what takes no time, or is not known: a start that was told when it was over, an end that nobody saw begin.
    private static IReadOnlyList<SessionStretch> PassedBy(SessionFact fact) =>
        fact switch
        {
            SessionEnded when fact.Passed is not [.., { State: SessionState.Ending }] =>
            [
                .. fact.Passed,
                new(SessionState.Ending, fact.At, fact.At),
            ],
            SessionStarted or SessionFailed { Session.StartedAt: null } when fact.Passed.Count == 0 =>
            [
                new(SessionState.Starting, fact.Session.CreatedAt ?? fact.At, fact.At),
            ],
            _ => fact.Passed,
        };

    // What a stretch is part of; null for what is shown by nothing of its own.
    private static string? NameOf(SessionStretch stretch) =>
        stretch.State switch
        {
            SessionState.Running => RunName,
            SessionState.Hibernated => SleepName,
            SessionState.Ending => EndName,
            _ when IsPhase(stretch) => RunName,
            _ => null,
        };

    private static bool IsPhase(SessionStretch stretch) =>
        stretch.State is SessionState.Requested or SessionState.Lapsed or SessionState.Starting;

    // A life starts once: what makes it ready again after a sleep, or after a failure, is part of a run.
    private static bool IsStart(SessionFact fact, string name, DateTimeOffset begin) =>
        name == RunName
        && (fact is SessionStarted || fact.Session.StartedAt is null)
        && !(begin > fact.Session.CreatedAt);

    private SessionTrace Add(SessionFact fact, string name, List<SessionStretch> run, SessionFailed? failure)
    {
        var session = fact.Session;
        var (begin, end) = (run[0].From, run[^1].To);
        var start = SessionTrace.Start(session);
        var isStart = IsStart(fact, name, begin);
        var trace = isStart ? start : SessionTrace.Of(session, name, begin);
        var oldest = clock.GetUtcNow() - Longest;
        var root = new Span(trace.TraceId, trace.RootId, isStart ? StartName : name, begin, end - begin)
        {
            Resource = session.Template is { } template ? (EventText)template : null,
            Kind = SpanKind.Server,
            Service = isStart || name == EndName ? null : _longService,
            Attributes =
            [
                .. _tags.AttributesOf(session),
                new("seconds", (end - begin).TotalSeconds),
                .. failure is null ? [] : FactMapper.AttributesOf(failure),
            ],
            Links = isStart ? [] : [new SpanLink(start.TraceId, start.RootId)],
            Error = failure is null ? null : FactMapper.ErrorOf(failure),
        };
        _spans.Add(Cut(root, oldest));
        foreach (var (i, phase) in run.Index().Where(part => IsPhase(part.Item) && part.Item.To > oldest))
        {
            _spans.Add(Cut(PhaseOf(root, trace.ChildId(i), phase, isLast: i == run.Count - 1), oldest));
        }
        return trace;
    }

    private static Span PhaseOf(Span root, ulong id, SessionStretch phase, bool isLast) =>
        new(
            root.TraceId,
            id,
            phase.State is SessionState.Starting ? "streamspace.session.starting" : "streamspace.session.requested",
            phase.From,
            phase.To - phase.From
        )
        {
            ParentId = root.SpanId,
            Resource = root.Resource,
            Service = root.Service,
            Attributes =
            [
                .. root.Attributes.Where(attribute => attribute.Key != "seconds"),
                new("seconds", (phase.To - phase.From).TotalSeconds),
            ],
            Error = isLast ? root.Error : null,
        };

    // What is wholly too old stays as it is: the ledger tells of it.
    private static Span Cut(Span span, DateTimeOffset oldest) =>
        span.Start >= oldest || span.Start + span.Duration <= oldest
            ? span
            : span with
            {
                Start = oldest,
                Duration = span.Start + span.Duration - oldest,
                Attributes = [.. span.Attributes, new("cut", true)],
            };
}
