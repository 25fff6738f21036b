using System.Collections.Frozen;
using System.Text.Json.Nodes;
using AgentlessDatadog;
using Microsoft.AspNetCore.Routing;
using StreamSpace.Datadog.Api;
using StreamSpace.Datadog.Collection;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Health;
using StreamSpace.Datadog.Provisioning;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog;

/// <summary>StreamSpace in Datadog: platform events in, telemetry out.</summary>
public sealed class DatadogPlugin : IPlugin, IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    // Set by LoadAsync.
    private IPluginContext? _context;
    private KeyFiles? _keyFiles;
    private ConfigReader? _reader;
    private ConfigChanges? _changes;
    private AccountProvisioning? _provisioning;
    private ITimer? _timer;

    // From before it is started: disposed by DisposeAsync, whoever is at it.
    private readonly Lock _opening = new();
    private Collector? _opened;
    private bool _isDisposed;

    private Collector? _inForce;

    // Once unloaded: what it still holds may be asked for.
    private Collector? _ended;

    /// <inheritdoc/>
    public bool KeepsDataLocal => _inForce is { Config.KeepsDataLocal: true };

    /// <inheritdoc/>
    public TimeSpan? LookEvery => _inForce?.Config.MetricsInterval;

    /// <inheritdoc/>
    public JsonObject Config =>
        _inForce is { } inForce ? Context.Manifest.ConfigSchema.WithoutSecrets(inForce.Config.Values) : [];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SettingSource> Origins =>
        _inForce?.Config.Origins ?? FrozenDictionary<string, SettingSource>.Empty;

    /// <inheritdoc/>
    public JsonObject Status =>
        _inForce is { } inForce
            ? StatusDocument.Of(inForce, Context, Findings, Verdict)
            : StatusDocument.Unconfigured(Errors, Verdict);

    /// <inheritdoc/>
    public IReadOnlyList<CheckFinding> Findings =>
        _inForce is { } inForce
            ? [.. HealthFindings.Of(inForce.Config, inForce.Pipeline.Status, _keyFiles!), .. inForce.TagChanges]
            : HealthFindings.Unconfigured(Errors);

    /// <inheritdoc/>
    public IReadOnlyList<PluginCommand> Commands { get; } = [Export.Command];

    /// <inheritdoc/>
    public string? ReadinessError =>
        _inForce is { } inForce
            ? inForce.Pipeline.StoreError
            : $"No valid config is in force. {string.Join(" ", Errors)}";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long>? Undelivered =>
        (_inForce ?? _ended)
            ?.Pipeline.Status.Lanes.Where(lane => lane.Ledger.Queued > 0)
            .ToDictionary(lane => lane.Unit, lane => lane.Ledger.Queued)
        // What an earlier process left is known once a config is in force.
        ?? (File.Exists(StorePath) ? null : new Dictionary<string, long>());

    /// <summary>Makes the pipeline on a file: the disk of a test's may fail, and its way to Datadog end in memory.</summary>
    internal Func<string, TelemetryOptions, IPluginContext, TelemetryPipeline> MakePipeline { get; init; } =
        (path, options, context) =>
            new TelemetryPipeline(path, options, context.Clock, context.Random, new ToldByTheHost(context.Logger));

    /// <summary>Makes the way to Datadog's API: a test's may end in memory.</summary>
    internal Func<TelemetryOptions, HttpClient> ConnectApi { get; init; } = DatadogApi.Connect;

    /// <summary>The API key in force, for tests: no other door shows it.</summary>
    internal string? KeyInForce => _inForce?.Config.ApiKey;

    private PluginVerdict Verdict =>
        PluginVerdict.Of(
            Findings,
            _inForce is { } inForce ? HealthFindings.AllIsWell(inForce.Config) : "No config was given yet."
        );

    private IReadOnlyList<ConfigError> Errors => _changes?.Errors ?? [];

    private string StorePath => Path.Combine(Context.DataFolder, "telemetry.db");

    private IPluginContext Context =>
        _context ?? throw new InvalidOperationException("The plugin was used before it was loaded.");

    /// <inheritdoc/>
    public ValueTask LoadAsync(IPluginContext context, CancellationToken cancellationToken)
    {
        _context = context;
        _keyFiles = new KeyFiles(context.Environment);
        _reader = new ConfigReader(context.Manifest.ConfigSchema, context.Environment, _keyFiles, context.Sandbox);
        _changes = new ConfigChanges(_reader, _keyFiles, UseAsync, context.Logger);
        _provisioning = new AccountProvisioning(context, () => Serving()?.Config, ConnectApi);
        _timer = context.Clock.CreateTimer(
            _ => _ = _changes.LookAtFilesAsync(context.Ended),
            null,
            LookInterval,
            LookInterval
        );
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ConfigError>> ConfigureAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    ) => _changes!.TakeAsync(settings, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<CheckFinding>> CheckAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    ) =>
        _reader!.Read(settings, out var errors) is { } read
            ? await ConfigCheck.OfAsync(
                read,
                Collector.IntakeOf(read, Context),
                _keyFiles!,
                Context.Clock,
                cancellationToken
            )
            : HealthFindings.Unconfigured(errors);

    /// <inheritdoc/>
    public void Apply(PlatformState state) => _inForce?.Apply(state);

    /// <inheritdoc/>
    public ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken) =>
        _inForce?.KeepAsync(batch, cancellationToken) ?? throw new InvalidOperationException("No config is in force.");

    /// <inheritdoc/>
    public void MapEndpoints(IEndpointRouteBuilder routes)
    {
        MetricsEndpoint.Map(routes, InForce);
        new TestEndpoint(Context.Clock).Map(routes, InForce);
        ProvisionEndpoint.Map(routes, _provisioning!, Context.Clock);

        (DatadogConfig, TelemetryPipeline)? InForce() =>
            Serving() is { } inForce ? (inForce.Config, inForce.Pipeline) : null;
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }
        if (_changes is not null)
        {
            await _changes.DisposeAsync();
        }
        if (_inForce is not { } inForce)
        {
            return;
        }
        (_ended, _inForce) = (inForce, null);
        await using (inForce)
        {
            await inForce.StopAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Collector? opened;
        lock (_opening)
        {
            (_isDisposed, opened) = (true, _opened);
        }
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }
        // By no turn: whoever has it may hang.
        if (opened is not null)
        {
            await opened.DisposeAsync();
        }
    }

    private Collector? Serving()
    {
        // Not for the caller to mend: the host answers that another copy is on its way.
        ObjectDisposedException.ThrowIf(_ended is not null, this);
        return _inForce;
    }

    private ValueTask UseAsync(DatadogConfig config, CancellationToken cancellationToken) =>
        _inForce is { } inForce
            ? inForce.ChangeAsync(config, cancellationToken)
            : BeginAsync(config, cancellationToken);

    private async ValueTask BeginAsync(DatadogConfig config, CancellationToken cancellationToken)
    {
        var collector = Open(config);
        try
        {
            await collector.StartAsync(cancellationToken);
        }
        catch
        {
            await collector.DisposeAsync();
            throw;
        }
        _inForce = collector;
        await collector.SayLoadedAsync(cancellationToken);
    }

    private Collector Open(DatadogConfig config)
    {
        lock (_opening)
        {
            // The next copy may have the file by now.
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _opened = new Collector(config, Context, options => MakePipeline(StorePath, options, Context));
        }
    }
}
