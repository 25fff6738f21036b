namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Puts the sessions of one namespace into the view, as one kind of resource shows them.</summary>
/// <param name="updater">Of the view.</param>
/// <param name="health">Told of what goes wrong.</param>
/// <param name="namespace">Which.</param>
/// <param name="witness">What the resources are.</param>
/// <param name="right">What is needed to see them.</param>
/// <param name="metadata">Of a resource.</param>
/// <param name="read">The session that a resource shows, or null when it shows none.</param>
internal sealed class SessionWatchHandler<T>(
    ClusterViewUpdater updater,
    KubernetesHealth health,
    string @namespace,
    Witness witness,
    KubernetesRight right,
    Func<T, ObjectMeta> metadata,
    Func<T, SessionSnapshot?> read
) : IListWatchHandler<T>
{
    public void Lists(bool begins) => health.Lists(begins);

    public async ValueTask SeeAsync(IReadOnlyList<T> items, CancellationToken cancellationToken)
    {
        health.Received(items.Count);
        await updater.TakeTurnAsync(
            (view, seen) =>
            {
                var lookedBefore = updater.LookedBefore(witness, @namespace);
                foreach (var session in items.Select(read).OfType<SessionSnapshot>())
                {
                    if (!view.See(session, lookedBefore, seen))
                    {
                        health.Skipped("session id used in another namespace");
                    }
                }
            },
            cancellationToken
        );
    }

    public async ValueTask RemoveAsync(T item, CancellationToken cancellationToken)
    {
        health.Received(1);
        var gone = metadata(item);
        await updater.TakeTurnAsync(
            (view, seen) => view.Remove(gone.Uid!, gone.DeletionTimestamp, seen),
            cancellationToken
        );
    }

    public ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken) =>
        updater.ListedAsync(
            witness,
            @namespace,
            (view, seen) => view.KeepSessions(@namespace, witness, uids, seen),
            cancellationToken
        );

    public ValueTask TellAsync(ClusterException? error, CancellationToken cancellationToken)
    {
        health.Tell(right, @namespace, error);
        return ValueTask.CompletedTask;
    }

    public void Skipped(string kind) => health.Skipped($"{kind} session");
}
