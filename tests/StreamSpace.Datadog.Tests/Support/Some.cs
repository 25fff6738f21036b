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

    public static UserLoggedIn Login(string user, DateTimeOffset at) =>
        new(new PlatformUser(null, user), at) { Id = $"login/{user}/{at.ToUnixTimeMilliseconds()}" };
}
