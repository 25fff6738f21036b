using Microsoft.Extensions.Logging.Abstractions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Health;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Checks;

/// <summary>Looks at every source, right, row, key and site that this process would use, and changes nothing.</summary>
internal sealed class CheckRun(HostSettings settings, TimeProvider clock, Func<double> random)
{
    private static readonly TimeSpan NatsTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PluginTimeout = TimeSpan.FromSeconds(60);

    /// <summary>All findings, in the order in which they are best mended.</summary>
    public async Task<IReadOnlyList<CheckFinding>> AllAsync(CancellationToken cancellationToken)
    {
        var environment = settings.Environment;
        var findings = new List<CheckFinding>();
        findings.AddRange(Variables());
        findings.AddRange(await KubernetesAsync(cancellationToken));
        findings.AddRange(await NatsAsync(cancellationToken));
        var database = SourceFactory.Database(environment);
        if (SourceFactory.TakesSigned(environment))
        {
            findings.Add(new("http", CheckVerdict.Good, "Takes signed webhooks at /api/events."));
        }
        var isAttached =
            SourceFactory.Cluster(environment, []) is not null
            || database is not null
            || environment.ContainsKey("NATS_URL")
            || SourceFactory.TakesSigned(environment);
        if (!isAttached)
        {
            findings.Add(
                new(
                    "sources",
                    CheckVerdict.Warning,
                    "No source is configured: there is only the demo.",
                    SourceFactory.HowToSetOne
                )
            );
        }
        findings.AddRange(SourceFactory.Absent(environment));
        try
        {
            findings.AddRange(await PluginsAsync(database, cancellationToken));
        }
        catch (StartupException e)
        {
            findings.Add(
                new(
                    "data folder",
                    CheckVerdict.Error,
                    e.Message,
                    "Mend that first: the config and the key were not checked."
                )
            );
        }
        return findings;
    }

    // Each error ends the service with the same sentence when it starts.
    private IEnumerable<CheckFinding> Variables()
    {
        var errors = SourceFactory
            .Errors(settings.Environment, clock, random)
            .Concat(SigningKey.Error(settings.Environment) is { } secret ? [secret] : []);
        return errors
            .Select(error => new CheckFinding(
                "environment",
                CheckVerdict.Error,
                error,
                "Set it right, or leave it out: the service does not start with it."
            ))
            .Concat(settings.EnvironmentWarnings);
    }

    private async Task<IReadOnlyList<CheckFinding>> PluginsAsync(
        PostgresOptions? database,
        CancellationToken cancellationToken
    )
    {
        var findings = new List<CheckFinding>();
        DataFolder.Probe(settings.DataFolder);
        using var store = HostStore.OfCommand(settings.DataFolder, clock);
        var folders = PluginSet.Folders(settings.PluginsFolder).ToList();
        foreach (var folder in folders)
        {
            var found = await PluginAsync(folder, store, database, cancellationToken);
            findings.AddRange(
                found.Count > 0 ? found : [new(Path.GetFileName(folder), CheckVerdict.Good, "It can be loaded.")]
            );
        }
        if (folders.Count == 0)
        {
            findings.Add(
                new(
                    "plugins",
                    CheckVerdict.Error,
                    $"There is no plugin in {settings.PluginsFolder}.",
                    "Name the folder with --plugins."
                )
            );
        }
        return findings;
    }

    private async Task<IEnumerable<CheckFinding>> KubernetesAsync(CancellationToken cancellationToken)
    {
        if (SourceFactory.Cluster(settings.Environment, []) is not { } options)
        {
            return [];
        }
        var rows = await KubernetesCheck.RunAsync(options, clock, cancellationToken);
        return rows.Select(row => new CheckFinding(
            $"kubernetes {row.Right}{(row.Namespace is { } name ? $" in {name}" : "")}",
            row.Works switch
            {
                true => CheckVerdict.Good,
                // Rights of the whole cluster are the operator's choice: without them only their metrics are missing.
                // Version 1 does without deployments.
                false
                    when row.Right is KubernetesRight.Nodes or KubernetesRight.Kubelet or KubernetesRight.Deployments =>
                    CheckVerdict.Warning,
                false => CheckVerdict.Error,
                null => CheckVerdict.Warning,
            },
            row.Detail,
            row.Grant is null ? row.Fix : $"{row.Fix}\n{row.Grant}"
        ));
    }

    private async Task<IEnumerable<CheckFinding>> NatsAsync(CancellationToken cancellationToken)
    {
        if (SourceFactory.Nats(settings.Environment, [], clock, random, NullLogger.Instance) is not { } nats)
        {
            return [];
        }
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var heard = System.Threading.Channels.Channel.CreateUnbounded<ObservationBatch>();
        var listening = nats.RunAsync(heard.Writer, checkpoint: null, enough.Token);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50), clock);
        using var patience = new CancellationTokenSource(NatsTimeout, clock);
        while (nats.Status.State is not SourceState.Up && !patience.IsCancellationRequested)
        {
            await look.WaitForNextTickAsync(cancellationToken);
        }
        var (state, detail) = (nats.Status.State, nats.Status.Detail);
        await enough.CancelAsync();
        await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return
        [
            state is SourceState.Up
                ? new("nats", CheckVerdict.Good, detail)
                : new(
                    "nats",
                    CheckVerdict.Error,
                    detail,
                    "Check NATS_URL, NATS_USER, NATS_PASSWORD and that the server runs."
                ),
        ];
    }

    private async Task<IReadOnlyList<CheckFinding>> PluginAsync(
        string folder,
        HostStore store,
        PostgresOptions? database,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // One that never comes back must not cost the other rows.
            var asking = Task.Run(
                () =>
                    StandalonePlugin.AskAsync(
                        folder,
                        settings,
                        clock,
                        random,
                        async (plugin, manifest) =>
                        {
                            var config = new PluginConfig(manifest, store, hasDatabase: database is not null);
                            var findings = new List<CheckFinding>();
                            if (!config.Enabled)
                            {
                                findings.Add(HostHealth.SwitchedOff(manifest.Name));
                            }
                            if (database is not null)
                            {
                                findings.AddRange(await RowAsync(database, manifest, config, cancellationToken));
                            }
                            var kept = store.Read(manifest.Name).Config ?? manifest.DefaultConfig;
                            findings.AddRange(await plugin.CheckAsync(config.InForce(kept), cancellationToken));
                            return findings;
                        },
                        cancellationToken
                    ),
                cancellationToken
            );
            return await asking.WaitAsync(PluginTimeout, clock, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return
            [
                new(
                    Path.GetFileName(folder),
                    CheckVerdict.Error,
                    e is TimeoutException
                        ? $"It cannot be checked: it did not come back within {PluginTimeout.TotalSeconds:0} s."
                        : $"It cannot be checked: {e.Message}",
                    "Install it again."
                ),
            ];
        }
    }

    private async Task<IEnumerable<CheckFinding>> RowAsync(
        PostgresOptions database,
        PluginManifest manifest,
        PluginConfig config,
        CancellationToken cancellationToken
    )
    {
        var findings = new List<CheckFinding>(await PostgresCheck.CheckAsync(database, clock, cancellationToken));
        var warnings = new List<string>();
        await foreach (var reading in new PluginRowWatch(database, manifest.Name, clock).WatchAsync(cancellationToken))
        {
            config.Take(reading, warnings);
            findings.AddRange(PluginRowCheck.Findings(reading, manifest.ConfigSchema, config.IsUninstalledThere));
            break;
        }
        // Of a secret there a finding tells already.
        findings.AddRange(
            warnings
                .Where(w => !manifest.ConfigSchema.IsSecret(w.Split(' ')[0]))
                .Select(w => new CheckFinding(
                    PluginRowCheck.Page,
                    CheckVerdict.Warning,
                    $"In the row of {manifest.Name}, {w}",
                    "Mend it on that page."
                ))
        );
        return findings;
    }
}
