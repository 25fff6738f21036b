using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>What the registry knows of a session id: its present life, or the last one while that is remembered.</summary>
/// <param name="Session">What listeners are told.</param>
/// <param name="FirstSeenAt">By the platform's clock. Running time counts from here until a creation is known.</param>
internal sealed record Life(Session Session, DateTimeOffset FirstSeenAt)
{
    // Nobody hears of one that fails and runs again and again.
    private const int MostPassed = 20;

    /// <summary>Since when it stands as it does, by the platform's clock; null in what was kept before this was.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>How it stood before, since the last fact that told of it.</summary>
    public IReadOnlyList<SessionStretch> Passed
    {
        get => field ?? [];
        init;
    }

    /// <summary>
    /// The platform time that the state rests on: nothing older changes it. A creation does not set it, for the
    /// clock of whoever confirms it may lag behind.
    /// </summary>
    public DateTimeOffset StateAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>The platform's own id of this life, once a source has looked at the session itself.</summary>
    public string? Uid { get; init; }

    /// <summary>What those said last who look at sessions themselves; nothing in what was kept before this was.</summary>
    public Testimony Testimony
    {
        get => field ?? Testimony.None;
        init;
    }

    /// <summary>True once its creation was seen, and told.</summary>
    public bool Introduced { get; init; }

    /// <summary>When it first failed, or null.</summary>
    public DateTimeOffset? FailedAt { get; init; }

    /// <summary>The platform's words about the first failure.</summary>
    public string? FailureReason { get; init; }

    /// <summary>Of which kind the first failure was.</summary>
    public FailureCause FailureCause { get; init; }

    /// <summary>End of the former life of the same session id: what is not later belongs to that one.</summary>
    public DateTimeOffset? FormerEnd { get; init; }

    /// <summary>An end held back for the creation that should have come before it.</summary>
    public DateTimeOffset? HeldEnd { get; init; }

    /// <summary>By our clock: when a request lapses, a held end is told, or an ended or lapsed life is forgotten.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>True when it is a session of a cluster, as far as is known.</summary>
    public bool IsOfCluster => IsPlatformOfCluster(Session.Platform);

    /// <summary>Ended or lapsed: only remembered, so that what comes late is understood.</summary>
    public bool Closed => Session.State is SessionState.Ended or SessionState.Lapsed;

    /// <summary>True for the platform of sessions that a cluster holds; it is what is meant where none is named.</summary>
    public static bool IsPlatformOfCluster(string? platform) => platform is null or "kubernetes";

    /// <summary>True when this witness has seen it. What was kept before there were witnesses was seen as a resource.</summary>
    public bool IsSeenBy(Witness witness) =>
        Testimony.By(witness) is not null
        || (witness is Witness.Resource && Uid is not null && Testimony == Testimony.None);

    /// <summary>Fills in what was unknown; what is known stays.</summary>
    public Life Learn(SessionObservation seen)
    {
        var user = new PlatformUser(Session.User.Id ?? seen.User.Id, Session.User.Name ?? seen.User.Name);
        var template = Session.Template ?? seen.Template;
        var platform = Session.Platform ?? seen.Platform;
        return user == Session.User && template == Session.Template && platform == Session.Platform
            ? this
            : this with
            {
                Session = Session with { User = user, Template = template, Platform = platform },
            };
    }

    /// <summary>Adds the stretch between the creation and the first sight to the running time: it began awake.</summary>
    public Life CreatedAt(DateTimeOffset at)
    {
        var session = Session with { CreatedAt = at };
        if (at < FirstSeenAt && Session.State is not SessionState.Requested)
        {
            session =
                session.AwakeSince == FirstSeenAt
                    ? session with
                    {
                        AwakeSince = at,
                    }
                    : session with
                    {
                        AwakeBefore = session.AwakeBefore + (FirstSeenAt - at),
                    };
        }
        var dated = at < FirstSeenAt ? BegunAt(at) : this;
        return dated with { Session = session, FirstSeenAt = at < FirstSeenAt ? at : FirstSeenAt, Introduced = true };
    }

    /// <summary>Stands in another way from <paramref name="at"/> on.</summary>
    public Life Turn(Session session, DateTimeOffset at)
    {
        if (session.State == Session.State)
        {
            return this with { Session = session };
        }
        var since = Since ?? Session.AwakeSince;
        at = at < since ? since.Value : at;
        return this with
        {
            Session = session,
            Since = at,
            Passed = since is { } from ? [.. Passed.TakeLast(MostPassed - 1), new(Session.State, from, at)] : Passed,
        };
    }

    // It was on its way since then: what was first seen of it may be just that.
    private Life BegunAt(DateTimeOffset at)
    {
        var isYetFirst = Since == FirstSeenAt;
        if (isYetFirst && IsOnItsWay(Session.State))
        {
            return this with { Since = at };
        }
        return !isYetFirst && Passed is [var first, ..] && first.From == FirstSeenAt && IsOnItsWay(first.State)
            ? this with
            {
                Passed = [first with { From = at }, .. Passed.Skip(1)],
            }
            : this with
            {
                Passed = [new(SessionState.Starting, at, FirstSeenAt), .. Passed],
            };
    }

    /// <summary>
    /// The session in another state, its waking stretch opened or closed at <paramref name="at"/>. A request that shows after
    /// all, though it may have lapsed, was awake all the time.
    /// </summary>
    public Session In(SessionState state, DateTimeOffset at)
    {
        var revived =
            Session.State is SessionState.Requested or SessionState.Lapsed
            && state is SessionState.Starting or SessionState.Running or SessionState.Hibernated;
        var awake = revived ? Session with { AwakeSince = FirstSeenAt } : Session;
        return IsAwake(state)
            ? awake with
            {
                State = state,
                AwakeSince = awake.AwakeSince ?? at,
            }
            : awake with
            {
                State = state,
                AwakeSince = null,
                AwakeBefore = awake.RunningTime(at),
            };
    }

    /// <summary>The life that a creation begins, requested or starting.</summary>
    public static Life Created(SessionObservation seen, SessionState state, DateTimeOffset? formerEnd) =>
        new(
            New(seen, state, seen.At) with
            {
                CreatedAt = seen.At,
                AwakeSince = IsAwake(state) ? seen.At : null,
            },
            seen.At
        )
        {
            Since = seen.At,
            Introduced = true,
            FormerEnd = formerEnd,
        };

    /// <summary>A life that was there before anyone looked, known by how it stands.</summary>
    public static Life Found(StatusReported seen)
    {
        var state = StateOf(seen);
        var since = seen.CreatedAt ?? seen.At;
        return new Life(
            New(seen, state, since) with
            {
                CreatedAt = seen.CreatedAt,
                StartedAt = state is SessionState.Running ? seen.At : null,
                AwakeSince = IsAwake(state) ? since : null,
            },
            since
        )
        {
            Since = IsAwake(state) ? since : seen.At,
            StateAt = seen.At,
            FailedAt = state is SessionState.Failed ? since : null,
            FailureReason = state is SessionState.Failed ? seen.Message : null,
            FailureCause = state is SessionState.Failed ? seen.Cause : FailureCause.Other,
        };
    }

    /// <summary>A life that was there before anyone looked, known by what was asked of it.</summary>
    public static Life Found(SessionObservation seen, SessionState state) =>
        new(New(seen, state, seen.At) with { AwakeSince = seen.At }, seen.At) { Since = seen.At };

    /// <summary>A life of which only the end is known.</summary>
    public static Life KnownByItsEnd(SessionObservation seen) =>
        new(New(seen, SessionState.Ending, seen.At), seen.At) { Since = seen.At };

    /// <summary>The state that a status other than the end stands for.</summary>
    public static SessionState StateOf(StatusReported status) =>
        status.Status switch
        {
            ReportedStatus.Requested => SessionState.Requested,
            ReportedStatus.Pending => SessionState.Starting,
            ReportedStatus.Running => SessionState.Running,
            ReportedStatus.Hibernated => SessionState.Hibernated,
            ReportedStatus.Failed => SessionState.Failed,
            ReportedStatus.Ending => SessionState.Ending,
            _ => SessionState.Ended,
        };

    private static bool IsOnItsWay(SessionState state) =>
        state is SessionState.Requested or SessionState.Starting or SessionState.Lapsed;

    private static bool IsAwake(SessionState state) => state is SessionState.Starting or SessionState.Running;

    private static Session New(SessionObservation seen, SessionState state, DateTimeOffset since) =>
        new()
        {
            LifeId = $"{seen.SessionId}@{since.UtcDateTime:O}",
            Id = seen.SessionId,
            State = state,
            User = seen.User,
            Template = seen.Template,
            Platform = seen.Platform,
        };
}
