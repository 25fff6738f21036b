namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Sessions of one user and one template in one namespace: they share a deployment, and so its pods.</summary>
internal readonly record struct Owner(string Namespace, string? User, string? Template);

/// <summary>A session as Kubernetes holds it.</summary>
/// <param name="Uid">Of this life.</param>
/// <param name="Id">The resource's name, which is the session id.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="CreatedAt">In whole seconds.</param>
/// <param name="DeletingAt">When its deletion was asked for, or null.</param>
/// <param name="Intent">What it is meant to be.</param>
/// <param name="Phase">What the controller says it is, or null.</param>
/// <param name="Reason">The controller's words about what is wrong, or null.</param>
internal sealed record SessionSnapshot(
    string Uid,
    string Id,
    Owner Owner,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeletingAt,
    string? Intent,
    string? Phase,
    string? Reason
)
{
    private const int MaxReasonLength = 500;

    /// <summary>What was reported of it last.</summary>
    public ReportedStatus? Told { get; set; }

    /// <summary>Of a resource whose name, uid and creation time are there.</summary>
    public static SessionSnapshot Of(string @namespace, SessionResource resource)
    {
        var metadata = resource.Metadata;
        var reason = resource.Status?.Conditions?.FirstOrDefault(c => c.Status is "False")?.Message;
        return new SessionSnapshot(
            metadata.Uid!,
            metadata.Name!,
            new Owner(@namespace, Names.Of(resource.Spec?.User), Names.Of(resource.Spec?.Template)),
            metadata.CreationTimestamp!.Value,
            metadata.DeletionTimestamp,
            Names.Of(resource.Spec?.State),
            Names.Of(resource.Status?.Phase),
            reason?.Length > MaxReasonLength ? reason[..MaxReasonLength] : reason
        );
    }

    /// <summary>
    /// How it stands. <c>spec.state</c> is the intent and <c>status.phase</c> the observation (docs/reference/streamspace.md
    /// §3.2); the phase says Running before a pod is ready, so that where pods can be seen they decide.
    /// </summary>
    /// <param name="podsSeen">False when pods cannot be seen.</param>
    /// <param name="ready">True when a pod of it is ready.</param>
    public ReportedStatus Status(bool podsSeen, bool ready) =>
        this switch
        {
            { DeletingAt: not null } => ReportedStatus.Ending,
            { Phase: "Terminated" } => ReportedStatus.Ended,
            { Intent: "terminated" } => ReportedStatus.Ending,
            { Phase: "Failed" } => ReportedStatus.Failed,
            { Intent: "hibernated" } => ReportedStatus.Hibernated,
            _ => (podsSeen ? ready : Phase is "Running") ? ReportedStatus.Running : ReportedStatus.Pending,
        };
}
