using AgentlessDatadog;
using Microsoft.Extensions.Logging;
using StreamSpace.Datadog.Collection;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Provisioning.Account;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>
/// Runs that bring the assets to the account of the config in force, one at a time. What is about a metric that Datadog has
/// not heard of yet is tried again until it has.
/// </summary>
internal sealed class AccountProvisioning(
    IPluginContext context,
    Func<DatadogConfig?> inForce,
    Func<TelemetryOptions, HttpClient> connect
)
{
    /// <summary>What the application key must be allowed.</summary>
    public const string Rights =
        "dashboards_read, dashboards_write, monitors_read, monitors_write, slos_read, slos_write, metrics_metadata_write, "
        + "metric_tags_write (Manage Tags for Metrics), apm_service_catalog_read and apm_service_catalog_write";

    // Of the form of an application key, and of no account: the sandbox takes it, as it takes its own API key.
    private const string NoAccountKey = "0000000000000000000000000000000000000000";

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMinutes(5);
    private static readonly AssetKind[] OfMetrics = [AssetKind.Metadata, AssetKind.Percentiles];

    private readonly Lock _lock = new();

    /// <summary>The last run, or null before the first.</summary>
    public ProvisionRun? Last { get; private set; }

    /// <summary>Why there can be no run now, in a sentence with what to do; null when there can.</summary>
    public string? Obstacle =>
        inForce() switch
        {
            null => "No valid config is in force: see GET status for what is wrong with it.",
            { Site: DatadogConfig.Sandbox } => null,
            { ApiKey: null } => "There is no API key: set DD_API_KEY, or apiKey in the config.",
            { AppKey: null } =>
                $"There is no application key: set DD_APP_KEY, or appKey in the config, to one with the rights {Rights}.",
            _ => null,
        };

    /// <summary>Begins a run, or joins the one that does the same; null when one is under way that does something else.</summary>
    public ProvisionRun? Start(ProvisionRequest request)
    {
        ProvisionRun run;
        lock (_lock)
        {
            if (Last is { Done.IsCompleted: false } under)
            {
                return under.Request == request ? under : null;
            }
            Last = run = new ProvisionRun(request, context.Clock.GetUtcNow());
        }
        _ = Task.Run(() => RunAsync(run));
        return run;
    }

    private async Task RunAsync(ProvisionRun run)
    {
        var error = await BringAsync(run, Enum.GetValues<AssetKind>());
        var again = PauseAsync();
        run.End(error);
        // Until Datadog has heard of every metric, or another run has begun.
        while (run is { Waits: true, Request: { DryRun: false, Delete: false } })
        {
            await again;
            if (context.Ended.IsCancellationRequested || run != Last)
            {
                return;
            }
            await BringAsync(run, OfMetrics);
            again = PauseAsync();
        }
    }

    private async Task PauseAsync() =>
        await Task.Delay(TryAgainAfter, context.Clock, context.Ended)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    // Why it could not be ended, or null.
    private async Task<string?> BringAsync(ProvisionRun run, IReadOnlyCollection<AssetKind> kinds)
    {
        try
        {
            // The keys may have changed since it was last tried.
            if (Obstacle is { } obstacle)
            {
                return obstacle;
            }
            var config = inForce()!;
            var intake = Collector.IntakeOf(config, context);
            using var http = connect(intake);
            var keys = new AccountSecrets(config.AppKey ?? NoAccountKey, intake.ApiKey);
            await new Provisioner(
                new AccountApi(http, keys, context.Clock),
                Installation.Of(config),
                run.Request
            ).RunAsync(kinds, run.Tell, context.Ended);
            return null;
        }
        catch (AccountException e)
        {
            return $"Datadog cannot be reached: {e.Message}. What was done is kept; run it again.";
        }
        catch (OperationCanceledException)
        {
            return "The plugin was unloaded meanwhile. What was done is kept; run it again.";
        }
        // Whoever waits for it is told, whatever it was.
        catch (Exception e)
        {
            context.Logger.LogError(e, "Provisioning failed");
            return $"It failed, which it should not: {e.Message}";
        }
    }
}
