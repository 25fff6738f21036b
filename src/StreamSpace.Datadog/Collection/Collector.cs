using AgentlessDatadog;
using Microsoft.Extensions.Logging;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Gauges;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Collection;

/// <summary>
/// What is there while a config is in force: the pipeline, the gauges that are read at each flush, and the ear for what this
/// process is asked and asks.
/// Starts, takes other configs, and stops; to dispose it ends it at once, whatever it is at.
/// </summary>
internal sealed class Collector : IAsyncDisposable
{
    private static readonly string Instance = $"instance:{Environment.MachineName}";

    private readonly IPluginContext _context;
    private readonly SourceGauges _sources;
    private readonly LogForwarding _logs;
    private volatile DatadogConfig _config;
    private IReadOnlyList<CheckFinding> _tagChanges = [];
    private DateTimeOffset _tagChangesUntil;
    private DatadogActivityListener? _requests;
    private bool _hasFlushed;

    /// <summary>Makes the pipeline; it is not started yet.</summary>
    public Collector(
        DatadogConfig config,
        IPluginContext context,
        Func<TelemetryOptions, TelemetryPipeline> makePipeline
    )
    {
        (_config, _context, StartedAt) = (config, context, context.Clock.GetUtcNow());
        Pipeline = makePipeline(IntakeOf(config, context));
        Gauges = new SessionGauges(Pipeline);
        Gauges.Use(config);
        _sources = new SourceGauges(Pipeline, () => context.Sources);
        _sources.Use(config);
        Pipeline.ObserveGauges(Gauges.Observe);
        _logs = new LogForwarding(context, Pipeline);
        Pipeline.ObserveGauges(_ => _sources.Observe());
    }

    /// <summary>The config in force.</summary>
    public DatadogConfig Config => _config;

    /// <summary>When it was made, by this machine's clock.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>What the last change of tags does to the charts, as long as it does.</summary>
    public IReadOnlyList<CheckFinding> TagChanges => _context.Clock.GetUtcNow() < _tagChangesUntil ? _tagChanges : [];

    /// <summary>The tag of everything that the plugin says about itself.</summary>
    public static string InstanceTag => Instance;

    public TelemetryPipeline Pipeline { get; }

    public SessionGauges Gauges { get; }

    /// <summary>The far end that a config describes.</summary>
    public static TelemetryOptions IntakeOf(DatadogConfig config, IPluginContext context) =>
        config.Intake(context.Sandbox, Instance);

    /// <summary>Opens the store, and begins to flush and send.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        await Pipeline.StartAsync(cancellationToken);
        ListenToRequests(_config);
        await _logs.UseAsync(_config);
    }

    /// <summary>Tells Datadog that the plugin is loaded, when it is switched on.</summary>
    public ValueTask SayLoadedAsync(CancellationToken cancellationToken) =>
        _config.Enabled ? SayAsync("Loaded", cancellationToken) : ValueTask.CompletedTask;

    /// <summary>Goes on under another config.</summary>
    public async ValueTask ChangeAsync(DatadogConfig config, CancellationToken cancellationToken)
    {
        var before = _config;
        if (before.Enabled && !config.Enabled)
        {
            await SayAsync("Unloaded", cancellationToken);
        }
        // In this order: nothing invented is left, and what is held goes out under the old config.
        if (!config.KeepsDataLocal)
        {
            Gauges.ReleaseInvented();
        }
        if (before.KeepsDataLocal != config.KeepsDataLocal)
        {
            await _logs.EndAsync();
        }
        try
        {
            await Pipeline.ConfigureAsync(IntakeOf(config, _context), cancellationToken);
            Gauges.Use(config);
            _sources.Use(config);
            ListenToRequests(config);
            _config = config;
        }
        finally
        {
            await _logs.UseAsync(_config);
        }
        if (TagChange.Between(before, config, Pipeline.Clock.GetUtcNow()) is { Count: > 0 } changes)
        {
            // Until a flush of the new tags has followed the last of the old ones for certain.
            (_tagChanges, _tagChangesUntil) = (changes, _context.Clock.GetUtcNow() + (2 * config.MetricsInterval));
        }
        if (!before.Enabled && config.Enabled)
        {
            await SayAsync("Loaded", cancellationToken);
        }
    }

    /// <summary>Takes what is true on the platform.</summary>
    public void Apply(PlatformState state)
    {
        // A platform that was invented stays with the sandbox, whatever the host says.
        if (state.IsDemo && !_config.KeepsDataLocal)
        {
            return;
        }
        Gauges.Apply(state);
        // The first flush need not wait for the interval once it says the truth.
        if (_config.Enabled && state.IsWhole && !_hasFlushed)
        {
            _hasFlushed = true;
            _ = Pipeline.FlushEarlyAsync(CancellationToken.None).AsTask();
        }
    }

    /// <summary>Keeps what the facts mean; returns when it is durable.</summary>
    public async ValueTask KeepAsync(FactBatch batch, CancellationToken cancellationToken)
    {
        var config = _config;
        // What is switched off is not kept for later.
        if (!config.Enabled || (batch.IsDemo && !config.KeepsDataLocal))
        {
            return;
        }
        // What is durable already comes again after a crash, perhaps beside what is new.
        var (from, to) = (Pipeline.Position(batch.LogId), batch.Facts[^1].Sequence);
        if (to <= from)
        {
            return;
        }
        var facts = new FactMapper(config, Pipeline.Clock);
        foreach (var fact in batch.Facts.Where(fact => fact.Sequence > from))
        {
            facts.Add(fact);
        }
        var range = new StreamRange(batch.LogId, from, to);
        await Pipeline.KeepAsync(facts.Signals, range, cancellationToken);
    }

    /// <summary>Tells Datadog that the plugin is unloaded, and sends what it can.</summary>
    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        // Not waited for: a store that fails must not keep the last flush from being made. Said also when there is no
        // time left to send anything: it is kept all the same.
        var said = _config.Enabled ? SayAsync("Unloaded", CancellationToken.None).AsTask() : Task.CompletedTask;
        if (_requests is not null)
        {
            // What was done until now is part of what is sent; a store that fails is not waited for.
            var heard = _requests.DisposeAsync().AsTask();
            await heard.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await _logs
            .EndAsync()
            .AsTask()
            .WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Pipeline.StopAsync(cancellationToken);
        // Whoever stops takes what came before: only a store that hangs has not answered by now.
        await said.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Nothing more is made of what the pipeline keeps: it is the next copy's.</summary>
    public async ValueTask DisposeAsync()
    {
        _requests?.Dispose();
        await Pipeline.DisposeAsync();
        await _logs.DisposeAsync();
    }

    // Activities are the whole process's, also those of the host, whose libraries are none of ours.
    private void ListenToRequests(DatadogConfig config)
    {
        var isWanted = config is { Enabled: true, EnableTraces: true, TraceRequests: true };
        if (isWanted == _requests is not null)
        {
            return;
        }
        _requests?.Dispose();
        _requests = isWanted ? new DatadogActivityListener(clock: _context.Clock) : null;
        _requests?.SendTo(Pipeline);
    }

    private async ValueTask SayAsync(string what, CancellationToken cancellationToken)
    {
        var (version, happened) = (_context.Manifest.Version, what.ToLowerInvariant());
        _context.Logger.LogInformation("Datadog plugin {What}, version {Version}", happened, version);
        var said = new DatadogEvent(
            $"Plugin {what}",
            $"The StreamSpace Datadog plugin {version} was {happened} on {Environment.MachineName}.",
            Pipeline.Clock.GetUtcNow()
        )
        {
            AggregationKey = "streamspace-datadog",
            SourceType = "streamspace",
            Tags = [Instance],
            Alert = AlertType.Info,
        };
        try
        {
            await Pipeline.KeepAsync([said], cancellationToken);
        }
        // It is in the log, and no reason not to go on.
        catch (StoreUnavailableException e)
        {
            _context.Logger.LogWarning("The event that says so could not be kept: {Error}", e.Message);
        }
    }
}
