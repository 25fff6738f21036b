namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Sessions of one user and one template in one namespace: they share a deployment, and so its pods.</summary>
internal readonly record struct Owner(string Namespace, string? User, string? Template);

/// <summary>A session as Kubernetes holds it: by its resource, or, of version 2, by its deployment.</summary>
/// <param name="Uid">Of the resource or the deployment.</param>
/// <param name="Id">Its name, which is the session id.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="CreatedAt">In whole seconds.</param>
/// <param name="DeletingAt">When its deletion was asked for, or null.</param>
/// <param name="Intent">What it is meant to be.</param>
/// <param name="Phase">What the controller says it is, or null.</param>
/// <param name="Error">What the controller says is wrong, or null; it may be so no more.</param>
internal sealed record SessionSnapshot(
    string Uid,
    string Id,
    Owner Owner,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeletingAt,
    string? Intent,
    string? Phase,
    SessionError? Error
)
{
    /// <summary>Which of the two it is.</summary>
    public Witness Witness { get; init; } = Witness.Resource;

    /// <summary>What tells this life from others: an id of version 2 is used once, whoever tells of it.</summary>
    public string LifeUid => Witness is Witness.Workload ? Id : Uid;

    /// <summary>What was reported of it last.</summary>
    public ReportedStatus? Reported { get; set; }

    /// <summary>
    /// Of a resource whose name, uid and creation time are there; null for one that an agent of version 2 made, which says
    /// <c>running</c> for ever (docs/reference/streamspace.md §8.3).
    /// </summary>
    public static SessionSnapshot? Of(string @namespace, SessionResource resource)
    {
        var metadata = resource.Metadata;
        if (metadata.Label("session") == metadata.Name)
        {
            return null;
        }
        return new SessionSnapshot(
            metadata.Uid!,
            metadata.Name!,
            new Owner(@namespace, Names.Of(resource.Spec?.User), Names.Of(resource.Spec?.Template)),
            metadata.CreationTimestamp!.Value,
            metadata.DeletionTimestamp,
            Names.Of(resource.Spec?.State),
            Names.Of(resource.Status?.Phase),
            SessionError.Of(resource.Status?.Conditions ?? [])
        );
    }

    /// <summary>
    /// Of a deployment whose name, uid and creation time are there; null for one of version 1, whose name is not the
    /// session's.
    /// </summary>
    public static SessionSnapshot? Of(string @namespace, DeploymentResource deployment)
    {
        var metadata = deployment.Metadata;
        return metadata.Label("session") != metadata.Name
            ? null
            : new SessionSnapshot(
                metadata.Uid!,
                metadata.Name!,
                new Owner(@namespace, Names.Of(metadata.Label("user")), Names.Of(metadata.Label("template"))),
                metadata.CreationTimestamp!.Value,
                metadata.DeletionTimestamp,
                Intent: deployment.Spec?.Replicas is 0 ? "hibernated" : "running",
                Phase: deployment.Status?.ReadyReplicas > 0 ? "Running" : null,
                Error: null
            )
            {
                Witness = Witness.Workload,
            };
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
            _ when (podsSeen ? ready : Phase is "Running") => ReportedStatus.Running,
            // Of one that is there a condition may say what was wrong once, so that a phase goes first.
            { Phase: null, Error.IsFinal: true } => ReportedStatus.Failed,
            // An agent tells of a session once its pod is ready, and of nothing before.
            _ => Witness is Witness.Workload ? ReportedStatus.Requested : ReportedStatus.Pending,
        };
}
