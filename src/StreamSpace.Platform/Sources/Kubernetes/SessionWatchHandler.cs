namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Puts the sessions of one namespace into the view.</summary>
internal sealed class SessionWatchHandler(ClusterViewUpdater updater, KubernetesStanding standing, string @namespace)
    : IListWatchHandler<SessionResource>
{
    public void Lists(bool begins) => standing.Lists(begins);

    public async ValueTask SeeAsync(IReadOnlyList<SessionResource> items, CancellationToken cancellationToken)
    {
        standing.Received(items.Count);
        await updater.TakeTurnAsync(
            (view, seen) =>
            {
                var lookedBefore = updater.LookedBefore(@namespace);
                foreach (var item in items)
                {
                    if (!view.See(SessionSnapshot.Of(@namespace, item), lookedBefore, seen))
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
        await updater.TakeTurnAsync(
            (view, seen) => view.Lose(item.Metadata.Uid!, item.Metadata.DeletionTimestamp, seen),
            cancellationToken
        );
    }

    public ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken) =>
        updater.ListedAsync(@namespace, (view, seen) => view.KeepSessions(@namespace, uids, seen), cancellationToken);

    public ValueTask StandsAsync(ClusterException? error, CancellationToken cancellationToken)
    {
        standing.Stands(KubernetesRight.ListSessions, @namespace, error);
        return ValueTask.CompletedTask;
    }

    public void Skipped(string kind) => standing.Skipped($"{kind} session");
}
