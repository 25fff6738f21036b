using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>Makes the facts that the registry tells, each with its id: made of the life, so that a replay makes the same.</summary>
internal static class FactFactory
{
    public static SessionCreated Created(Session session, DateTimeOffset at) =>
        new(session, at) { Id = $"{session.LifeId}/created" };

    public static SessionStarted Started(Session session, DateTimeOffset at) =>
        new(session, at) { Id = $"{session.LifeId}/started" };

    public static SessionFailed Failed(Life life) =>
        new(life.Session, life.FailedAt!.Value, life.FailureReason)
        {
            Id = $"{life.Session.LifeId}/failed",
            Cause = life.FailureCause,
        };

    public static SessionEnded Ended(Session session, DateTimeOffset at) =>
        new(session, at) { Id = $"{session.LifeId}/ended" };

    /// <summary>
    /// A change of state that can happen many times in a life, so that its id carries the time; null when the change is
    /// none to count.
    /// </summary>
    public static SessionFact? Turned(SessionState before, Session session, DateTimeOffset at) =>
        (before, session.State) switch
        {
            (SessionState.Hibernated, SessionState.Running or SessionState.Starting) => new SessionWoken(session, at)
            {
                Id = $"{session.LifeId}/woken/{at.UtcDateTime:O}",
            },
            (_, SessionState.Hibernated) => new SessionHibernated(session, at)
            {
                Id = $"{session.LifeId}/hibernated/{at.UtcDateTime:O}",
            },
            _ => null,
        };

    public static UserFact Of(UserActed act) =>
        act.Act switch
        {
            UserAct.Created => new UserCreated(act.User, act.At) { Id = act.FactId },
            UserAct.Deleted => new UserDeleted(act.User, act.At) { Id = act.FactId },
            UserAct.LoggedIn => new UserLoggedIn(act.User, act.At) { Id = act.FactId },
            _ => new UserLoggedOut(act.User, act.At) { Id = act.FactId },
        };
}
