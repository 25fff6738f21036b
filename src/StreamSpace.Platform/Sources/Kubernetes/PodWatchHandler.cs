namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Puts the pods of one namespace into the view.</summary>
internal sealed class PodWatchHandler(ClusterViewUpdater updater, KubernetesStanding standing, string @namespace)
    : IListWatchHandler<PodResource>
{
    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done once the pods are known, or cannot be for now.</summary>
    public Task FirstLook => _firstLook.Task;

    public void Lists(bool begins) => standing.Lists(begins);

    public ValueTask SeeAsync(IReadOnlyList<PodResource> items, CancellationToken cancellationToken)
    {
        standing.Received(items.Count);
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

    public ValueTask LoseAsync(PodResource item, CancellationToken cancellationToken)
    {
        standing.Received(1);
        return updater.TakeTurnAsync((view, seen) => view.LosePod(item.Metadata.Uid!, seen), cancellationToken);
    }

    public async ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken)
    {
        await updater.TakeTurnAsync((view, seen) => view.KeepPods(@namespace, uids, seen), cancellationToken);
        _firstLook.TrySetResult();
    }

    public async ValueTask StandsAsync(ClusterException? error, CancellationToken cancellationToken)
    {
        standing.Stands(KubernetesRight.Pods, @namespace, error);
        if (error is { Refused: true })
        {
            await updater.TakeTurnAsync((view, seen) => view.LosePods(@namespace, seen), cancellationToken);
        }
        _firstLook.TrySetResult();
    }

    public void Skipped(string kind) => standing.Skipped($"{kind} pod");
}
