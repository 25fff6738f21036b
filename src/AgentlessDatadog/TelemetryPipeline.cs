#pragma warning disable IDE0060, CA1822 // the surface first
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>Telemetry to Datadog without an Agent: aggregates, encodes, keeps, and ships.</summary>
public sealed class TelemetryPipeline : IAsyncDisposable
{
    private readonly SeriesTable _table;

    /// <summary>Makes a pipeline that does nothing until it is started.</summary>
    public TelemetryPipeline(
        ITelemetryStore store,
        IntakeOptions options,
        TimeProvider clock,
        Func<double> chance,
        ILogger logger,
        Func<Uri?, HttpMessageHandler>? handler = null
    )
    {
        _table = new SeriesTable(clock);
        _table.UseGlobalTags(options.Tags);
    }

    /// <summary>Opens the store, replays what it holds, and starts to flush and ship.</summary>
    public ValueTask StartAsync(CancellationToken cancellationToken) => default;

    /// <summary>A gauge to hold on to. Throws <see cref="ArgumentException"/> when the name is bad or has another type.</summary>
    public Gauge Gauge(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Gauge)_table.Hold(metric, MetricType.Gauge, tags, unit);

    /// <summary>A count to hold on to. Throws <see cref="ArgumentException"/> when the name is bad or has another type.</summary>
    public Counter Counter(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Counter)_table.Hold(metric, MetricType.Count, tags, unit);

    /// <summary>Calls back on the loop just before each cut, with the second of the cut.</summary>
    public void BeforeCut(Action<DateTimeOffset> look) { }

    /// <summary>Keeps measurements and events; returns when the store has committed them.</summary>
    public ValueTask KeepAsync(
        IReadOnlyList<Measurement> measurements,
        IReadOnlyList<DatadogEvent> events,
        CancellationToken cancellationToken
    ) => default;

    /// <summary>Why a measurement is not acceptable, or null when it is.</summary>
    public string? Check(Measurement measurement) => null;

    /// <summary>Cuts with the options so far and goes on with new ones.</summary>
    public ValueTask ConfigureAsync(IntakeOptions options, CancellationToken cancellationToken) => default;

    /// <summary>Cuts now and hands the requests to the outbox.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => default;

    /// <summary>Takes nothing more, cuts for the last time, and ships until everything is sent or the token fires.</summary>
    public ValueTask StopAsync(CancellationToken cancellationToken) => default;

    /// <summary>How it stands.</summary>
    public PipelineStatus Status => throw new NotImplementedException();

    /// <summary>Asks Datadog about the API key.</summary>
    public ValueTask<KeyVerdict> CheckKeyAsync(CancellationToken cancellationToken) => default;

    /// <summary>Stops at once; what is kept stays in the store.</summary>
    public ValueTask DisposeAsync() => default;
}
