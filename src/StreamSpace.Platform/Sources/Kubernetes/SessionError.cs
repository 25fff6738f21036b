using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>What the controller says is wrong with a session, in one of its conditions (docs/reference/streamspace.md §3.2).</summary>
/// <param name="Cause">Which kind it is of.</param>
/// <param name="Message">Its words.</param>
/// <param name="IsFinal">True when a session without a phase will not come to run.</param>
internal sealed record SessionError(FailureCause Cause, string Message, bool IsFinal)
{
    private const int MaxLength = 500;

    /// <summary>The first of these conditions that is not met; those that stop a session for good go first.</summary>
    public static SessionError? Of(IReadOnlyList<Condition> conditions)
    {
        var unmet = conditions.Where(c => c.Status is "False").ToList();
        if ((unmet.Find(IsFatal) ?? unmet.FirstOrDefault()) is not { } condition)
        {
            return null;
        }
        var words = string.Join(
            ": ",
            new[] { condition.Reason, condition.Message }.Where(w => !string.IsNullOrEmpty(w))
        );
        return new SessionError(
            condition.Type is "TemplateResolved" ? FailureCause.Template : FailureCause.Other,
            words.Length > MaxLength ? words[..MaxLength] : words,
            IsFatal(condition)
        );
    }

    private static bool IsFatal(Condition condition) => condition.Type is "TemplateResolved" or "DeploymentReady";
}
