using AgentlessDatadog.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Tests.Support;

/// <summary>Sessions and events with only what a test is about spelled out.</summary>
internal static class Some
{
    public static Session Session(
        string id,
        DateTimeOffset created,
        string? user = "ada",
        string? template = "chrome",
        SessionState state = SessionState.Running
    ) =>
        new()
        {
            Id = id,
            LifeId = $"{id}@{created.ToUnixTimeMilliseconds()}",
            State = state,
            User = user is null ? PlatformUser.Unknown : new PlatformUser($"id-of-{user}", user),
            Template = template,
            CreatedAt = created,
            AwakeSince = state is SessionState.Starting or SessionState.Running ? created : null,
        };

    public static SessionCreated Created(Session session) =>
        new(session, session.CreatedAt!.Value) { Id = $"{session.LifeId}/created" };

    public static SessionEnded Ended(Session session, DateTimeOffset at) =>
        new(
            session with
            {
                State = SessionState.Ended,
                EndedAt = at,
                AwakeBefore = session.RunningTime(at),
                AwakeSince = null,
            },
            at
        )
        {
            Id = $"{session.LifeId}/ended",
        };

    /// <summary>Ready at a time, after a request that showed half way.</summary>
    public static SessionStarted Started(Session session, DateTimeOffset at)
    {
        var shown = session.CreatedAt!.Value + ((at - session.CreatedAt.Value) / 2);
        return new(session with { StartedAt = at }, at)
        {
            Id = $"{session.LifeId}/started",
            Passed =
            [
                new(SessionState.Requested, session.CreatedAt.Value, shown),
                new(SessionState.Starting, shown, at),
            ],
        };
    }

    public static SessionFailed Failed(Session session, DateTimeOffset at, string reason) =>
        new(session with { State = SessionState.Failed }, at, reason)
        {
            Id = $"{session.LifeId}/failed",
            Passed = [new(SessionState.Requested, session.CreatedAt!.Value, at)],
        };

    /// <summary>
    /// A life in which each thing happens once: ready after 8 s, asleep after a minute, awake after another, failed half a
    /// minute later, being deleted ten seconds after that and gone after two more.
    /// </summary>
    public static SessionFact[] Life(string id, DateTimeOffset asked)
    {
        var (ready, asleep, awake) = (asked.AddSeconds(8), asked.AddSeconds(60), asked.AddSeconds(120));
        var (failed, deleted, gone) = (asked.AddSeconds(150), asked.AddSeconds(160), asked.AddSeconds(162));
        var session = Session(id, asked) with { Platform = "kubernetes" };
        var started = session with { StartedAt = ready };
        var slept = started with
        {
            State = SessionState.Hibernated,
            AwakeSince = null,
            AwakeBefore = TimeSpan.FromSeconds(60),
        };
        var woken = slept with { State = SessionState.Running, AwakeSince = awake };
        var broken = woken with
        {
            State = SessionState.Failed,
            AwakeSince = null,
            AwakeBefore = TimeSpan.FromSeconds(90),
        };
        return
        [
            Created(session),
            Started(session, ready),
            new SessionHibernated(slept, asleep)
            {
                Id = $"{session.LifeId}/hibernated",
                Passed = [new(SessionState.Running, ready, asleep)],
            },
            new SessionWoken(woken, awake)
            {
                Id = $"{session.LifeId}/woken",
                Passed = [new(SessionState.Hibernated, asleep, awake)],
            },
            new SessionFailed(broken, failed, "out of memory")
            {
                Id = $"{session.LifeId}/failed",
                Passed = [new(SessionState.Running, awake, failed)],
            },
            new SessionEnded(broken with { State = SessionState.Ended, EndedAt = gone }, gone)
            {
                Id = $"{session.LifeId}/ended",
                Passed = [new(SessionState.Failed, failed, deleted), new(SessionState.Ending, deleted, gone)],
            },
        ];
    }

    public static UserLoggedIn Login(string user, DateTimeOffset at) =>
        new(new PlatformUser(null, user), at) { Id = $"login/{user}/{at.ToUnixTimeMilliseconds()}" };
}
