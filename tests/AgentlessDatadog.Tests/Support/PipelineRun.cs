using System.Text.Json;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A pipeline on the way to some far end, by some clock. One that goes over real sockets is on the machine's.</summary>
internal class PipelineRun : IAsyncDisposable
{
    private readonly TimeProvider _clock;
    private readonly Func<Uri?, HttpMessageHandler>? _way;

    protected PipelineRun(
        ITelemetryStore store,
        TelemetryOptions options,
        TimeProvider clock,
        SearchedLog log,
        Func<Uri?, HttpMessageHandler>? way
    )
    {
        (Store, Options, Log, _clock, _way) = (store, options, log, clock, way);
        Pipeline = NewPipeline(options);
    }

    public ITelemetryStore Store { get; }

    public TelemetryOptions Options { get; }

    public SearchedLog Log { get; }

    public TelemetryPipeline Pipeline { get; private set; }

    /// <summary>Over real sockets.</summary>
    public static async Task<PipelineRun> OverSocketsAsync(TelemetryOptions options)
    {
        var keyed = options with { ApiKey = Secret.ApiKey };
        var run = new PipelineRun(new MemoryStore(), keyed, TimeProvider.System, new SearchedLog(), null);
        await run.Pipeline.StartAsync(default);
        return run;
    }

    public LaneLedger Ledger(Lane lane) => Lane(lane).Ledger;

    public LaneStatus Lane(Lane lane) => Pipeline.Status.Lanes.Single(status => status.Lane == lane.Name);

    public ValueTask KeepAsync(params IReadOnlyList<Signal> signals) => Pipeline.KeepAsync(signals, default);

    public ValueTask KeepAsync(Measurement[] measurements, DatadogEvent[] events) =>
        Pipeline.KeepAsync([.. measurements, .. events], default);

    /// <summary>Like a call with a key, of which the contents are the key's.</summary>
    public ValueTask KeepOnceAsync(string key, params IReadOnlyList<Signal> signals) =>
        Pipeline.KeepOnceAsync(key, key, signals, default);

    public virtual ValueTask ConfigureAsync(TelemetryOptions options) => Pipeline.ConfigureAsync(options, default);

    public ValueTask<KeyVerdict> CheckKeyAsync() => Pipeline.CheckKeyAsync(default);

    public virtual ValueTask StopAsync(CancellationToken cancellationToken) => Pipeline.StopAsync(cancellationToken);

    /// <summary>Waits until something holds.</summary>
    public Task Until(Func<bool> holds) => Patience.Until(holds, () => JsonSerializer.Serialize(Pipeline.Status));

    /// <summary>Waits until nothing is left to be sent.</summary>
    public Task UntilSent() => Until(() => Pipeline.Status.Queue.Requests == 0);

    /// <summary>Another process on the same store.</summary>
    public async Task RestartAsync(Func<TelemetryOptions, TelemetryOptions>? with = null)
    {
        await Pipeline.DisposeAsync();
        Pipeline = NewPipeline(with?.Invoke(Options) ?? Options);
        await Pipeline.StartAsync(default);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Pipeline.DisposeAsync();
        TestRun.Search.LookAt("the status", JsonSerializer.Serialize(Pipeline.Status));
        TestRun.Search.LookAt("the options", Options.ToString());
        GC.SuppressFinalize(this);
    }

    private TelemetryPipeline NewPipeline(TelemetryOptions options) =>
        new(Store, options, _clock, () => 0.5, Log, _way);
}
