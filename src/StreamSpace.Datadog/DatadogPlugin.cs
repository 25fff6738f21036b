using System.Text.Json.Nodes;
using AgentlessDatadog;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using StreamSpace.Datadog.Api;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog;

/// <summary>StreamSpace in Datadog: platform events in, telemetry out.</summary>
public sealed class DatadogPlugin : IPlugin, IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly string Instance = $"instance:{Environment.MachineName}";

    private IPluginContext? _context;
    private ConfigReader? _reader;
    private InForce? _inForce;

    // What is open, from before it is opened: closed by DisposeAsync, whoever is at it.
    private readonly Lock _opening = new();
    private (ITelemetryStore Store, TelemetryPipeline Pipeline)? _open;
    private bool _isDisposed;

    // Once unloaded: what it still holds may be asked for.
    private TelemetryPipeline? _ended;
    private IReadOnlyList<ConfigFault> _faults = [];

    // A config comes from the host, and again when a key file changes: one at a time.
    private readonly SemaphoreSlim _turn = new(1);
    private KeyFiles? _keyFiles;
    private VerdictLog? _verdictLog;
    private ITimer? _timer;
    private PluginSettings _given = new([]);
    private bool _hasFlushed;

    /// <inheritdoc/>
    public bool KeepsDataLocal => _inForce is { Config.KeepsDataLocal: true };

    /// <inheritdoc/>
    public TimeSpan? LookEvery => _inForce?.Config.MetricsInterval;

    /// <inheritdoc/>
    public JsonObject Config =>
        _inForce is { } inForce ? Context.Manifest.ConfigSchema.WithoutSecrets(inForce.Config.Values) : [];

    /// <inheritdoc/>
    public JsonObject Status =>
        _inForce is { } inForce
            ? StatusDocument.Of(inForce.Config, inForce.Pipeline.Status, inForce.Levels.OpenSessions, Findings, Verdict)
            : StatusDocument.Unconfigured(_faults, Verdict);

    /// <inheritdoc/>
    public IReadOnlyList<CheckFinding> Findings =>
        _inForce is { } inForce
            ? Standing.Findings(inForce.Config, inForce.Pipeline.Status, _keyFiles!)
            : Standing.Unconfigured(_faults);

    /// <inheritdoc/>
    public string? NotReady =>
        _inForce is { } inForce
            ? inForce.Pipeline.CannotKeep
            : $"No valid config is in force. {string.Join(" ", _faults)}";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long>? Undelivered =>
        (_inForce?.Pipeline ?? _ended)
            ?.Status.Lanes.Where(lane => lane.Ledger.Queued > 0)
            .ToDictionary(lane => lane.Unit, lane => lane.Ledger.Queued)
        // What an earlier process left is known once a config is in force.
        ?? (File.Exists(StorePath) ? null : new Dictionary<string, long>());

    /// <summary>Makes the store from its path and the clock: a test's may fail.</summary>
    internal Func<string, TimeProvider, ITelemetryStore> MakeStore { get; init; } =
        (path, clock) => new SqliteStore(path, clock);

    /// <summary>Makes the way to Datadog, through a proxy or through none. Null: over the network; a test's ends in memory.</summary>
    internal Func<Uri?, HttpMessageHandler>? MakeWay { get; init; }

    /// <summary>The API key in force, for tests: no other door shows it.</summary>
    internal string? KeyInForce => _inForce?.Config.ApiKey;

    private PluginVerdict Verdict =>
        PluginVerdict.Of(
            Findings,
            _inForce is { } inForce ? Standing.AllIsWell(inForce.Config) : "No config was given yet."
        );

    private IPluginContext Context =>
        _context ?? throw new InvalidOperationException("The plugin was used before it was loaded.");

    /// <inheritdoc/>
    public ValueTask LoadAsync(IPluginContext context, CancellationToken cancellationToken)
    {
        _context = context;
        var files = _keyFiles = new KeyFiles(context.Environment);
        _reader = new ConfigReader(context.Manifest.ConfigSchema, context.Environment, files, context.Sandbox);
        _verdictLog = new VerdictLog(context.Logger);
        _timer = context.Clock.CreateTimer(_ => _ = LookAsync(files), null, LookInterval, LookInterval);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ConfigFault>> ConfigureAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var faults = await UseAsync(settings, cancellationToken);
            if (faults.Count == 0)
            {
                _keyFiles!.Taken();
            }
            _verdictLog!.Look(Verdict);
            return faults;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<IReadOnlyList<ConfigFault>> UseAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    )
    {
        if (_reader!.Read(settings, out var faults) is not { } read)
        {
            _faults = _inForce is null ? faults : _faults;
            return faults;
        }
        _given = settings;
        _faults = [];
        var warned = _inForce?.Config.Warnings ?? [];
        if (_inForce is { } before)
        {
            await ChangeAsync(before, read, cancellationToken);
        }
        else
        {
            await BeginAsync(read, cancellationToken);
        }
        // What is worst, the verdict says.
        var verdict = Verdict.Sentence;
        foreach (var warning in read.Warnings.Except(warned).Where(w => w.Found != verdict))
        {
            Context.Logger.LogWarning("{Warning} {Fix}", warning.Found, warning.Fix ?? "");
        }
        return faults;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<CheckFinding>> CheckAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    ) =>
        _reader!.Read(settings, out var faults) is { } read
            ? await ConfigCheck.OfAsync(read, IntakeOf(read), _keyFiles!, Context.Clock, cancellationToken)
            : Standing.Unconfigured(faults);

    /// <inheritdoc/>
    public void Apply(PlatformState state)
    {
        // A platform that was invented stays with the sandbox, whatever the host says.
        if (_inForce is not { } inForce || (state.IsDemo && !inForce.Config.KeepsDataLocal))
        {
            return;
        }
        inForce.Levels.Apply(state);
        // The first flush need not wait for the interval once it says the truth.
        if (inForce.Config.Enabled && state.IsWhole && !_hasFlushed)
        {
            _hasFlushed = true;
            _ = inForce.Pipeline.FlushEarlyAsync(CancellationToken.None).AsTask();
        }
    }

    /// <inheritdoc/>
    public async ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken)
    {
        if (_inForce is not { } inForce)
        {
            throw new InvalidOperationException("No config is in force.");
        }
        // What is switched off is not kept for later.
        if (!inForce.Config.Enabled || (batch.IsDemo && !inForce.Config.KeepsDataLocal))
        {
            return;
        }
        // What is durable already comes again after a crash, perhaps beside what is new.
        var (from, to) = (inForce.Pipeline.Position(batch.LogId), batch.Facts[^1].Sequence);
        if (to <= from)
        {
            return;
        }
        var facts = new Facts(inForce.Config, inForce.Pipeline.Clock);
        foreach (var fact in batch.Facts.Where(fact => fact.Sequence > from))
        {
            facts.Add(fact);
        }
        var range = new StreamRange(batch.LogId, from, to);
        await inForce.Pipeline.KeepAsync(facts.Measurements, facts.Events, range, cancellationToken);
    }

    /// <inheritdoc/>
    public void MapEndpoints(IEndpointRouteBuilder routes) =>
        MetricsEndpoint.Map(
            routes,
            () =>
            {
                // Not for the caller to mend: the host answers that another copy is on its way.
                ObjectDisposedException.ThrowIf(_ended is not null, this);
                return _inForce is { } inForce ? (inForce.Config, inForce.Pipeline) : null;
            }
        );

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }
        // After a change of config that is under way.
        await _turn.WaitAsync(CancellationToken.None);
        if (_inForce is not { } inForce)
        {
            return;
        }
        (_ended, _inForce) = (inForce.Pipeline, null);
        try
        {
            // Not waited for: a store that fails must not keep the last flush from being made. Said also when there is no
            // time left to send anything: it is kept all the same.
            var said = inForce.Config.Enabled
                ? SayAsync(inForce.Pipeline, "unloaded", CancellationToken.None).AsTask()
                : Task.CompletedTask;
            await inForce.Pipeline.StopAsync(cancellationToken);
            // Whoever stops takes what came before: only a store that hangs has not answered by now.
            await said.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            await CloseAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_opening)
        {
            _isDisposed = true;
        }
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }
        await CloseAsync();
    }

    // By no turn: whoever has it may hang.
    private async ValueTask CloseAsync()
    {
        if (_open is not var (store, pipeline))
        {
            return;
        }
        await using (store)
        await using (pipeline)
        {
            // Nothing more is made of what they keep: it is the next copy's.
        }
    }

    private async Task LookAsync(KeyFiles files)
    {
        await _turn.WaitAsync();
        try
        {
            // What was not taken is tried again at each look.
            if (files.Changed() && _inForce is not null)
            {
                var faults = await UseAsync(_given, Context.Ended);
                files.Taken();
                Context.Logger.LogInformation(
                    "A key file has changed: {Outcome}",
                    faults.Count == 0 ? "taken" : string.Join(" ", faults)
                );
            }
        }
        catch (Exception e)
        {
            Context.Logger.LogError(e, "A changed key file could not be taken; the keys stay as they were");
        }
        try
        {
            if (_inForce is not null)
            {
                _verdictLog!.Look(Verdict);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask BeginAsync(DatadogConfig config, CancellationToken cancellationToken)
    {
        var (store, pipeline) = Open(config);
        var levels = new Levels(pipeline);
        levels.Use(config);
        pipeline.BeforeCut(levels.Look);
        try
        {
            await pipeline.StartAsync(cancellationToken);
        }
        catch
        {
            await CloseAsync();
            throw;
        }
        _hasFlushed = false;
        _inForce = new InForce(config, store, pipeline, levels);
        if (config.Enabled)
        {
            await SayAsync(pipeline, "loaded", cancellationToken);
        }
    }

    private (ITelemetryStore, TelemetryPipeline) Open(DatadogConfig config)
    {
        lock (_opening)
        {
            // The next copy may have the file by now.
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var store = MakeStore(StorePath, Context.Clock);
            var pipeline = new TelemetryPipeline(
                store,
                IntakeOf(config),
                Context.Clock,
                Context.Chance,
                Context.Logger,
                MakeWay
            );
            _open = (store, pipeline);
            return (store, pipeline);
        }
    }

    private async ValueTask ChangeAsync(InForce before, DatadogConfig config, CancellationToken cancellationToken)
    {
        var (old, _, pipeline, levels) = before;
        if (old.Enabled && !config.Enabled)
        {
            await SayAsync(pipeline, "unloaded", cancellationToken);
        }
        // In this order: nothing invented is left, and what is held goes out under the old config.
        if (!config.KeepsDataLocal)
        {
            levels.ForgetInvented();
        }
        await pipeline.ConfigureAsync(IntakeOf(config), cancellationToken);
        levels.Use(config);
        _inForce = before with { Config = config };
        if (!old.Enabled && config.Enabled)
        {
            await SayAsync(pipeline, "loaded", cancellationToken);
        }
    }

    private string StorePath => Path.Combine(Context.DataFolder, "telemetry.db");

    private IntakeOptions IntakeOf(DatadogConfig config) => config.Intake(Context.Sandbox, Instance);

    private ValueTask SayAsync(TelemetryPipeline pipeline, string what, CancellationToken cancellationToken)
    {
        Context.Logger.LogInformation("Datadog plugin {What}, version {Version}", what, Context.Manifest.Version);
        var said = new DatadogEvent(
            $"Datadog plugin {what}",
            $"The StreamSpace Datadog plugin {Context.Manifest.Version} was {what} on {Environment.MachineName}.",
            pipeline.Clock.GetUtcNow()
        )
        {
            AggregationKey = "streamspace-datadog",
            SourceType = "streamspace",
            Tags = [Instance],
            Alert = AlertType.Info,
        };
        return pipeline.KeepOrHoldAsync([], [said], cancellationToken);
    }

    private sealed record InForce(
        DatadogConfig Config,
        ITelemetryStore Store,
        TelemetryPipeline Pipeline,
        Levels Levels
    );
}
