using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// What happened on the platform, in Datadog's words: counts, distributions, events, traces and logs. It is kept together with the place
/// in the host's log up to which it goes, so that none of it needs an id.
/// </summary>
internal sealed class FactMapper(DatadogConfig config, TimeProvider clock)
{
    /// <summary>
    /// Older than this when it arrives, a fact is counted where its chart no longer shows the right minute: that is
    /// said in an event.
    /// </summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(5);

    private readonly PlatformTags _tags = new(config);
    private readonly List<Measurement> _measurements = [];
    private readonly List<DatadogEvent> _events = [];
    private readonly SpanMapper _spans = new(config, clock);
    private readonly LogMapper _logs = new(config);
    private int _late;
    private TimeSpan _oldest;

    /// <summary>What is to be kept of the facts seen so far, with an event about those that came late.</summary>
    public IReadOnlyList<Signal> Signals =>
        [
            .. _measurements,
            .. _events,
            .. _spans.Spans,
            .. _logs.Entries,
            .. _late > 0 ? [SayLate()] : Array.Empty<Signal>(),
        ];

    /// <summary>Adds what <paramref name="fact"/> means; nothing for what the config gates.</summary>
    public void Add(PlatformFact fact)
    {
        _logs.Add(fact, fact is SessionFact ofSession ? _spans.Add(ofSession) : null);
        var before = _measurements.Count + _events.Count;
        switch (fact)
        {
            case SessionFact e when config.TrackSessionMetrics:
                AddSession(e);
                break;
            case UserFact e when config.TrackUserMetrics:
                AddUser(e);
                break;
            case ApiFailed e:
                SayOfApi(e, "StreamSpace Cannot Make Sessions", $"{e.Reason} {e.Fix}", AlertType.Error);
                break;
            case ApiRecovered e:
                SayOfApi(
                    e,
                    "StreamSpace Makes Sessions Again",
                    $"StreamSpace's API takes requests for sessions again, after {Spoken.Of(e.At - e.FailedAt)}.",
                    AlertType.Success
                );
                break;
        }
        var age = clock.GetUtcNow() - fact.At;
        if (_measurements.Count + _events.Count > before && age > Late)
        {
            _late++;
            _oldest = age > _oldest ? age : _oldest;
        }
    }

    private void AddSession(SessionFact fact)
    {
        var session = fact.Session;
        switch (fact)
        {
            case SessionCreated e:
                Count(MetricCatalog.SessionCreated, _tags.Of(session.User, session.Template));
                Say(e, "Session Created", "was created", AlertType.Info);
                break;
            case SessionStarted { Session.CreatedAt: { } created } e:
                Measure(MetricCatalog.TimeToReady, (e.At - created).TotalSeconds, _tags.Of(session.Template));
                break;
            case SessionFailed e:
                Count(
                    MetricCatalog.SessionFailed,
                    [.. _tags.Of(session.User, session.Template), $"reason:{ReasonOf(e.Cause)}"]
                );
                break;
            case SessionEnded e:
                Count(MetricCatalog.SessionTerminated, _tags.Of(session.User, session.Template));
                AddDurations(e);
                Say(
                    e,
                    "Session Terminated",
                    $"ended after {Spoken.Of(session.RunningTime(e.At))} of running time",
                    AlertType.Info
                );
                break;
        }
    }

    /// <summary>What is said of a failure, beside the error that it is.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> AttributesOf(SessionFailed failure) =>
        [new("reason", ReasonOf(failure.Cause))];

    /// <summary>A failure as an error, with the platform's words.</summary>
    public static ErrorDetails ErrorOf(SessionFailed failure) =>
        new(ReasonOf(failure.Cause), failure.Reason ?? "The session failed.");

    /// <summary>The word for a cause.</summary>
    public static string ReasonOf(FailureCause cause) =>
        cause switch
        {
            FailureCause.Template => "template",
            FailureCause.Timeout => "timeout",
            _ => "other",
        };

    // The last duration of a session is kept like a count: nothing repeats it. Where the longest of many is sent, or
    // a distribution, SessionGauges sees to it.
    private void AddDurations(SessionEnded e)
    {
        if (!config.UseDistributions && config.SessionTagOnDuration)
        {
            Measure(MetricCatalog.SessionDuration, e.Session.RunningTime(e.At).TotalSeconds, _tags.Of(e.Session));
        }
        if (e.Session.CreatedAt is { } created)
        {
            Measure(MetricCatalog.SessionLifetime, (e.At - created).TotalSeconds, _tags.Of(e.Session.Template));
        }
    }

    private void AddUser(UserFact fact)
    {
        var (metric, title, done) = fact switch
        {
            UserCreated => (MetricCatalog.UserCreated, "User Created", "was created"),
            UserLoggedIn => (MetricCatalog.UserLogin, "User Logged In", "logged in"),
            UserLoggedOut => (MetricCatalog.UserLogout, "User Logged Out", "logged out"),
            _ => (null, null, null),
        };
        if (metric is null)
        {
            return;
        }
        var user = fact.User;
        Count(metric, _tags.Of(user));
        _events.Add(
            new DatadogEvent(title!, $"{_tags.Spoken(user)} {done}.", fact.At)
            {
                Kind = metric.Name,
                Tags = _tags.Of(user),
                AggregationKey = Key("user", _tags.UserValue(user) ?? "unknown"),
                SourceType = "streamspace",
                LowPriority = true,
            }
        );
    }

    private void Count(MetricDefinition metric, string[] tags) => Measure(metric, 1, tags);

    private void Measure(MetricDefinition metric, double value, string[] tags) =>
        _measurements.Add(new Measurement(metric.Name, metric.Type, Math.Max(0, value), tags) { Unit = metric.Unit });

    private void Say(SessionFact e, string title, string done, AlertType alert)
    {
        var session = e.Session;
        var of = session.Template is { } template ? (EventText)$" of template {template}" : $"";
        _events.Add(
            new DatadogEvent(title, $"Session {session.Id}{of} for {_tags.Spoken(session.User)} {done}.", e.At)
            {
                Kind = title,
                Tags = _tags.Of(session),
                AggregationKey = Key("session", session.Id),
                SourceType = "streamspace",
                Alert = alert,
            }
        );
    }

    private void SayOfApi(PlatformFact fact, string title, EventText text, AlertType alert) =>
        _events.Add(
            new DatadogEvent(title, text, fact.At)
            {
                Kind = title,
                AggregationKey = "streamspace-api",
                SourceType = "streamspace",
                Alert = alert,
            }
        );

    private DatadogEvent SayLate() =>
        new(
            "Facts Arrived Late",
            $"{_late} fact(s) arrived up to {Spoken.Of(_oldest)} late and are counted at the time of arrival.",
            clock.GetUtcNow()
        )
        {
            Kind = "late",
            AggregationKey = "streamspace-datadog",
            SourceType = "streamspace",
            Alert = AlertType.Warning,
        };

    private static EventText Key(string kind, string name) => $"streamspace-{kind}:{name}";
}
