using AgentlessDatadog.Store;
using Microsoft.Extensions.Time.Testing;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A pipeline on a clock that the test moves, before a far end in memory.</summary>
internal sealed class Rig : PipelineRun
{
    private Rig(FarEnd farEnd, FakeTimeProvider clock, ITelemetryStore store, TelemetryOptions options, SearchedLog log)
        : base(store, options, clock, log, _ => farEnd)
    {
        FarEnd = farEnd;
        Clock = clock;
    }

    public FarEnd FarEnd { get; }

    public FakeTimeProvider Clock { get; }

    public static async Task<Rig> StartAsync(
        Func<TelemetryOptions, TelemetryOptions>? with = null,
        ITelemetryStore? store = null,
        SearchedLog? log = null,
        FakeTimeProvider? clock = null
    )
    {
        clock ??= new FakeTimeProvider(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
        var farEnd = new FarEnd(clock);
        var options = new TelemetryOptions
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

    /// <summary>An event of now.</summary>
    public DatadogEvent Event(string title) => new(title, "", Clock.GetUtcNow());

    /// <summary>Flushes at this second, or at the next that time has made free.</summary>
    public async ValueTask FlushNowAsync()
    {
        FreeSecond();
        await Pipeline.FlushAsync(default);
    }

    public override ValueTask ConfigureAsync(TelemetryOptions options)
    {
        FreeSecond();
        return base.ConfigureAsync(options);
    }

    public override ValueTask StopAsync(CancellationToken cancellationToken)
    {
        FreeSecond();
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Flushes a second later than before, so that flushes keep step with the clock.</summary>
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
                    || (AgentlessDatadog.Signals.Lane.Named(lane.Lane).RepeatHarms && Pipeline.StoreError is not null)
                : lane.NextTry > Clock.GetUtcNow()
        );

    /// <summary>Waits until something holds, and moves the clock step by step whenever nothing is on its way.</summary>
    public Task Until(Func<bool> holds, TimeSpan step) =>
        Until(() =>
        {
            if (holds())
            {
                return true;
            }

            if (IsQuiet)
            {
                Clock.Advance(step);
            }

            return false;
        });

    /// <summary>Waits until nothing is left to be sent, and moves the clock step by step.</summary>
    public Task UntilSent(TimeSpan step) => Until(() => Pipeline.Status.Queue.Requests == 0, step);

    // Time alone makes a second free for a flush, and a test's stands still.
    private void FreeSecond()
    {
        if (Pipeline.Status.LastFlush?.At > Clock.GetUtcNow().AddSeconds(1))
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        FarEnd.Requests.ToList().ForEach(r => TestRun.Search.LookAt("a path", r.Path));
    }
}

/// <summary>Things to measure with.</summary>
public static class Some
{
    private static ulong _spans;

    public static Measurement Count(string metric = "app.made", double value = 1, params string[] tags) =>
        new(metric, MetricType.Count, value, tags) { IsItem = true };

    public static Measurement Gauge(string metric = "app.level", double value = 1, params string[] tags) =>
        new(metric, MetricType.Gauge, value, tags) { IsItem = true };

    public static Measurement Distribution(string metric = "app.time", double value = 1, params string[] tags) =>
        new(metric, MetricType.Distribution, value, tags) { IsItem = true };

    public static LogEntry Log(DateTimeOffset at, string message = "It came") => new(message, at);

    /// <summary>Another one each time.</summary>
    public static Span Span(DateTimeOffset start) =>
        new(1, Interlocked.Increment(ref _spans), "app.work", start, TimeSpan.FromSeconds(1));

    /// <summary>One signal for each lane.</summary>
    public static IReadOnlyList<Signal> OfEveryLane(DateTimeOffset now) =>
        [Count(), Distribution(), new DatadogEvent("It came", "", now), Log(now), Span(now)];
}
