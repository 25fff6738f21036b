namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Puts the pods of one namespace into the view.</summary>
internal sealed class PodWatchHandler(ClusterViewUpdater updater, KubernetesHealth health, string @namespace)
    : IListWatchHandler<PodResource>
{
    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done once the pods are known, or cannot be for now.</summary>
    public Task FirstLook => _firstLook.Task;

    public void Lists(bool begins) => health.Lists(begins);

    public ValueTask SeeAsync(IReadOnlyList<PodResource> items, CancellationToken cancellationToken)
    {
        health.Received(items.Count);
        return updater.TakeTurnAsync(
            (view, seen) =>
            {
                foreach (var item in items)
                {
                    view.See(PodSnapshot.Of(@namespace, item), seen);
                }
            },
            cancellationToken
        );
    }

    public ValueTask RemoveAsync(PodResource item, CancellationToken cancellationToken)
    {
        health.Received(1);
        return updater.TakeTurnAsync((view, seen) => view.RemovePod(item.Metadata.Uid!, seen), cancellationToken);
    }

    public async ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken)
    {
        await updater.TakeTurnAsync((view, seen) => view.KeepPods(@namespace, uids, seen), cancellationToken);
        _firstLook.TrySetResult();
    }

    public async ValueTask TellAsync(ClusterException? error, CancellationToken cancellationToken)
    {
        health.Tell(KubernetesRight.Pods, @namespace, error);
        if (error is { Refused: true })
        {
            await updater.TakeTurnAsync((view, seen) => view.RemovePods(@namespace, seen), cancellationToken);
        }
        _firstLook.TrySetResult();
    }

    public void Skipped(string kind) => health.Skipped($"{kind} pod");
}
