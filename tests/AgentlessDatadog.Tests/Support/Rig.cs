using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Shouldly;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A pipeline on a clock of its own, before a far end.</summary>
public sealed class Rig : IAsyncDisposable
{
    private Rig(FarEnd farEnd, FakeTimeProvider clock, ITelemetryStore store, IntakeOptions options, SearchedLog log)
    {
        FarEnd = farEnd;
        Clock = clock;
        Store = store;
        Options = options;
        Log = log;
        Pipeline = new TelemetryPipeline(store, options, clock, () => 0.5, log);
    }

    public FarEnd FarEnd { get; }

    public FakeTimeProvider Clock { get; }

    public SearchedLog Log { get; }

    public ITelemetryStore Store { get; }

    public IntakeOptions Options { get; }

    public TelemetryPipeline Pipeline { get; private set; }

    public static async Task<Rig> StartAsync(
        Func<IntakeOptions, IntakeOptions>? with = null,
        ITelemetryStore? store = null,
        SearchedLog? log = null,
        FakeTimeProvider? clock = null
    )
    {
        clock ??= new FakeTimeProvider(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
        var farEnd = await FarEnd.StartAsync(clock);
        var options = new IntakeOptions
        {
            IntakeUrl = farEnd.Url,
            ApiKey = Secret.ApiKey,
            FlushInterval = TimeSpan.FromSeconds(10),
        };
        var rig = new Rig(
            farEnd,
            clock,
            store ?? new MemoryStore(),
            with?.Invoke(options) ?? options,
            log ?? new SearchedLog()
        );
        await rig.Pipeline.StartAsync(default);
        return rig;
    }

    public LaneLedger Ledger(Lane lane) => Lane(lane).Ledger;

    public LaneStatus Lane(Lane lane) => Pipeline.Status.Lanes.Single(status => status.Lane == lane);

    public ValueTask KeepAsync(params Measurement[] measurements) => Pipeline.KeepAsync(measurements, [], default);

    public ValueTask KeepAsync(params DatadogEvent[] events) => Pipeline.KeepAsync([], events, default);

    public ValueTask KeepAsync(Measurement[] measurements, DatadogEvent[] events) =>
        Pipeline.KeepAsync(measurements, events, default);

    public ValueTask ConfigureAsync(IntakeOptions options) => Pipeline.ConfigureAsync(options, default);

    public ValueTask<KeyVerdict> CheckKeyAsync() => Pipeline.CheckKeyAsync(default);

    public ValueTask CutAsync() => Pipeline.FlushAsync(default);

    public ValueTask StopAsync(CancellationToken cancellationToken) => Pipeline.StopAsync(cancellationToken);

    /// <summary>Flushes a second later than before, so that cuts keep step with the clock.</summary>
    public async Task FlushAsync()
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Pipeline.FlushAsync(default);
    }

    /// <summary>Whether nothing is on its way, a question about the key neither: what is queued waits for the clock.</summary>
    public bool IsQuiet =>
        Pipeline.Status is var status
        && status.Lanes.All(lane =>
            lane.State == LaneState.Open
                ? lane.Ledger.Queued == 0
                    || status.Queue.Requests == 0
                    // Waits for the store.
                    || (lane.Lane != AgentlessDatadog.Lane.Metrics && Pipeline.CannotKeep is not null)
                : lane.NextTry > Clock.GetUtcNow()
        );

    /// <summary>
    /// Waits until something holds. With a step it moves the clock whenever nothing is on its way, for a request on the
    /// real network must not seem to take as long as the clock is quick.
    /// </summary>
    public async Task Until(Func<bool> holds, TimeSpan step = default)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!holds())
        {
            if (step > TimeSpan.Zero && IsQuiet)
                Clock.Advance(step);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, patience.Token);
        }
    }

    public Task UntilSent(TimeSpan step = default) => Until(() => Pipeline.Status.Queue.Requests == 0, step);

    /// <summary>Another process on the same store.</summary>
    public async Task RestartAsync(Func<IntakeOptions, IntakeOptions>? with = null)
    {
        await Pipeline.DisposeAsync();
        var options = with?.Invoke(Options) ?? Options;
        Pipeline = new TelemetryPipeline(Store, options, Clock, () => 0.5, Log);
        await Pipeline.StartAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await Pipeline.DisposeAsync();
        TestRun.Search.LookAt("the status", JsonSerializer.Serialize(Pipeline.Status));
        TestRun.Search.LookAt("the options", Options.ToString());
        FarEnd.Requests.ToList().ForEach(r => TestRun.Search.LookAt("a path", r.Path));
        await FarEnd.DisposeAsync();
    }
}

/// <summary>Things to measure with.</summary>
public static class Some
{
    public static Measurement Count(string metric = "app.made", double value = 1, params string[] tags) =>
        new(metric, MetricType.Count, value, tags) { IsItem = true };

    public static Measurement Gauge(string metric = "app.level", double value = 1, params string[] tags) =>
        new(metric, MetricType.Gauge, value, tags) { IsItem = true };

    public static Measurement Distribution(string metric = "app.time", double value = 1, params string[] tags) =>
        new(metric, MetricType.Distribution, value, tags) { IsItem = true };
}
