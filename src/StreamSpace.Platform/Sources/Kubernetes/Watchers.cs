namespace StreamSpace.Platform;

/// <summary>Puts the sessions of one namespace into the view.</summary>
internal sealed class SessionWatcher(ObservationDesk desk, KubernetesStanding standing, string @namespace)
    : IListWatcher<SessionResource>
{
    public void Lists(bool begins) => standing.Lists(begins);

    public async ValueTask SeeAsync(IReadOnlyList<SessionResource> items, CancellationToken cancellationToken)
    {
        standing.Received(items.Count);
        await desk.TakeTurnAsync(
            (view, seen) =>
            {
                var lookedBefore = desk.LookedBefore(@namespace);
                foreach (var item in items)
                {
                    if (!view.See(SessionSight.Of(@namespace, item), lookedBefore, seen))
                    {
                        standing.Skipped("session id used in another namespace");
                    }
                }
            },
            cancellationToken
        );
    }

    public async ValueTask LoseAsync(SessionResource item, CancellationToken cancellationToken)
    {
        standing.Received(1);
        await desk.TakeTurnAsync(
            (view, seen) => view.Lose(item.Metadata.Uid!, item.Metadata.DeletionTimestamp, seen),
            cancellationToken
        );
    }

    public ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken) =>
        desk.ListedAsync(@namespace, (view, seen) => view.KeepSessions(@namespace, uids, seen), cancellationToken);

    public ValueTask StandsAsync(ClusterException? trouble, CancellationToken cancellationToken)
    {
        standing.Stands(KubernetesRight.ListSessions, @namespace, trouble);
        return ValueTask.CompletedTask;
    }

    public void Skipped(string kind) => standing.Skipped($"{kind} session");
}

/// <summary>Puts the pods of one namespace into the view.</summary>
internal sealed class PodWatcher(ObservationDesk desk, KubernetesStanding standing, string @namespace)
    : IListWatcher<PodResource>
{
    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done once the pods are known, or cannot be for now.</summary>
    public Task FirstLook => _firstLook.Task;

    public void Lists(bool begins) => standing.Lists(begins);

    public ValueTask SeeAsync(IReadOnlyList<PodResource> items, CancellationToken cancellationToken)
    {
        standing.Received(items.Count);
        return desk.TakeTurnAsync(
            (view, seen) =>
            {
                foreach (var item in items)
                {
                    view.See(PodSight.Of(@namespace, item), seen);
                }
            },
            cancellationToken
        );
    }

    public ValueTask LoseAsync(PodResource item, CancellationToken cancellationToken)
    {
        standing.Received(1);
        return desk.TakeTurnAsync((view, seen) => view.LosePod(item.Metadata.Uid!, seen), cancellationToken);
    }

    public async ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken)
    {
        await desk.TakeTurnAsync((view, seen) => view.KeepPods(@namespace, uids, seen), cancellationToken);
        _firstLook.TrySetResult();
    }

    public async ValueTask StandsAsync(ClusterException? trouble, CancellationToken cancellationToken)
    {
        standing.Stands(KubernetesRight.Pods, @namespace, trouble);
        if (trouble is { Refused: true })
        {
            await desk.TakeTurnAsync((view, seen) => view.LosePods(@namespace, seen), cancellationToken);
        }
        _firstLook.TrySetResult();
    }

    public void Skipped(string kind) => standing.Skipped($"{kind} pod");
}
