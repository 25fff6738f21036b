using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Looks at the sessions themselves, as Kubernetes holds them: the truth about which there are, how they stand and
/// when they ended (docs/reference/streamspace.md §3). Reads only.
/// </summary>
public sealed class KubernetesSource : ISource
{
    private static readonly BackOff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private static readonly TimeSpan TellWatchedEvery = TimeSpan.FromSeconds(10);

    private readonly KubernetesOptions _options;
    private readonly TimeProvider _clock;
    private readonly Func<double> _random;
    private readonly SourceHealth _health;
    private readonly KubernetesHealth _rights;
    private volatile string _address = "The cluster";

    // Namespaces that were looked at in full before: what appears there now is new.
    private readonly HashSet<string> _lookedAt = new(StringComparer.Ordinal);

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="options">Which cluster, and what of it.</param>
    /// <param name="clock">Our clock: it dates what Kubernetes gives no time for.</param>
    /// <param name="random">Uniform in [0, 1).</param>
    /// <param name="logger">For the far end's errors.</param>
    public KubernetesSource(KubernetesOptions options, TimeProvider clock, Func<double> random, ILogger logger)
    {
        _options = options;
        _clock = clock;
        _random = random;
        _health = new SourceHealth(Name, KubernetesHealth.Essential(options.Namespaces), clock, logger)
        {
            WhileUp = WhileUp,
            WhileDown = () => $"{_address} is not watched. Tries again by itself.",
        };
        _rights = new KubernetesHealth(_health, options.Home);
    }

    /// <inheritdoc/>
    public string Name => "kubernetes";

    /// <inheritdoc/>
    public SourceStatus Status => _health.Status;

    /// <inheritdoc/>
    public bool IsCatchingUp => _rights.IsListing;

    /// <inheritdoc/>
    public async Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        _lookedAt.UnionWith((checkpoint ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries));
        // One that was taken out of the options and put back was not watched meanwhile.
        _lookedAt.IntersectWith(
            _options.Namespaces.SelectMany(n =>
                ((Witness[])[Witness.Resource, Witness.Workload]).Select(w => ClusterViewUpdater.Part(w, n))
            )
        );
        try
        {
            using var cluster = await OpenAsync(cancellationToken);
            _address = cluster.Address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
            if (cluster.Warning is { } warning)
            {
                _health.Fails("Trust", warning);
            }
            using var updater = new ClusterViewUpdater(Name, _lookedAt, _options.Namespaces, output, _clock);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var poll = new UsagePoll(cluster, updater, _rights, _options, _clock);
            await Task.WhenAll(
                _options
                    .Namespaces.Select(n => WatchAsync(cluster, updater, n, stop.Token))
                    .Append(poll.RunAsync(stop.Token))
                    .Append(TellWatchedAsync(updater, stop.Token))
                    .Select(part => StopAllWhenBroken(part, stop))
            );
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            _health.Stop();
        }
    }

    // A request is expected to show for as long as this is said.
    private async Task TellWatchedAsync(ClusterViewUpdater updater, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TellWatchedEvery, _clock);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_rights.IsWatching)
            {
                await updater.TakeTurnAsync(
                    (_, seen) => seen.Add(new SessionsWatched(_clock.GetUtcNow())),
                    cancellationToken
                );
            }
        }
    }

    private string WhileUp() =>
        $"Watches {string.Join(", ", _options.Namespaces)} at {_address}."
        + (_rights.HasSeenV2 ? " It is StreamSpace 2: sessions are told by their deployments and pods." : "");

    private SessionSnapshot? OfV2(SessionSnapshot? session)
    {
        if (session is not null)
        {
            _rights.SawV2(_options.Namespaces);
        }
        return session;
    }

    private async Task<ClusterClient> OpenAsync(CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                var cluster = ClusterClient.Open(_options, _clock);
                _rights.Tell(KubernetesRight.Reach, "", null);
                return cluster;
            }
            catch (ClusterException e)
            {
                _rights.Tell(KubernetesRight.Reach, "", e);
                await Task.Delay(Retry.After(failures, _random()), _clock, cancellationToken);
            }
        }
    }

    private async Task WatchAsync(
        ClusterClient cluster,
        ClusterViewUpdater updater,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        var watchPods = new PodWatchHandler(updater, _rights, @namespace);
        var pods = new ListWatch<PodResource>(
            cluster,
            ClusterPaths.Pods(@namespace),
            ClusterPaths.OfSessions,
            KubernetesJson.Default.PodResource,
            p => p.Metadata,
            watchPods,
            _clock,
            _random
        );
        var sessions = new ListWatch<SessionResource>(
            cluster,
            ClusterPaths.Sessions(@namespace),
            parameters: null,
            KubernetesJson.Default.SessionResource,
            s => s.Metadata,
            new SessionWatchHandler<SessionResource>(
                updater,
                _rights,
                @namespace,
                Witness.Resource,
                KubernetesRight.ListSessions,
                s => s.Metadata,
                s => SessionSnapshot.Of(@namespace, s)
            ),
            _clock,
            _random
        );
        var deployments = new ListWatch<DeploymentResource>(
            cluster,
            ClusterPaths.Deployments(@namespace),
            ClusterPaths.OfSessions,
            KubernetesJson.Default.DeploymentResource,
            d => d.Metadata,
            new SessionWatchHandler<DeploymentResource>(
                updater,
                _rights,
                @namespace,
                Witness.Workload,
                KubernetesRight.Deployments,
                d => d.Metadata,
                d => OfV2(SessionSnapshot.Of(@namespace, d))
            ),
            _clock,
            _random
        );
        var podsRun = pods.RunAsync(cancellationToken);
        // With the pods known, the first look at a session already tells whether it is ready.
        await Task.WhenAny(watchPods.FirstLook, podsRun);
        await Task.WhenAll(podsRun, sessions.RunAsync(cancellationToken), deployments.RunAsync(cancellationToken));
    }

    // A part that breaks by a bug of ours takes the others with it; the watch over the sources starts us again.
    private static async Task StopAllWhenBroken(Task part, CancellationTokenSource stop)
    {
        try
        {
            await part;
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }
}
