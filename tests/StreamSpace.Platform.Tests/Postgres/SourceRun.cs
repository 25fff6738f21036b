using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>A source that polls when it is told to.</summary>
internal sealed class SourceRun : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock;
    private readonly Channel<ObservationBatch> _output = Channel.CreateUnbounded<ObservationBatch>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Signal _polled = new();
    private readonly Task _running;
    private int _polls;

    public SourceRun(PostgresOptions options, string? checkpoint = null, DateTimeOffset? begin = null)
    {
        _clock = new FakeTimeProvider(begin ?? DateTimeOffset.FromUnixTimeSeconds(1_772_438_400));
        Source = new PostgresSource(
            options,
            () =>
            {
                Interlocked.Increment(ref _polls);
                _polled.Raise();
                return TimeSpan.FromSeconds(10);
            },
            _clock,
            () => 0.5,
            new SearchedLog()
        );
        _running = Source.RunAsync(_output.Writer, checkpoint, _stop.Token);
    }

    public PostgresSource Source { get; }

    public int Polls => _polls;

    /// <summary>All batches, in order.</summary>
    public List<ObservationBatch> Batches { get; } = [];

    public IEnumerable<Observation> Seen => Batches.SelectMany(b => b.Observations);

    public IEnumerable<UserActed> Facts => Seen.OfType<UserActed>();

    /// <summary>What a watch would have kept.</summary>
    public string? Checkpoint => Batches.LastOrDefault(b => b.Checkpoint is not null)?.Checkpoint;

    /// <summary>Starts a source and has it poll once.</summary>
    public static async Task<SourceRun> PollingAsync(
        PostgresOptions options,
        string? checkpoint = null,
        DateTimeOffset? begin = null
    )
    {
        var run = new SourceRun(options, checkpoint, begin);
        await run._polled.UntilAsync(() => run._polls > 0, "a first poll");
        run.Collect();
        return run;
    }

    /// <summary>Has it poll once more; returns what that poll has shown.</summary>
    public async Task<IReadOnlyList<Observation>> PollAsync()
    {
        var (polls, seen) = (_polls, Batches.Count);
        await PassTimeUntilAsync(() => _polls > polls, "another poll");
        Collect();
        return [.. Batches.Skip(seen).SelectMany(b => b.Observations)];
    }

    /// <summary>Lets our clock run until <paramref name="condition"/> holds.</summary>
    public Task PassTimeUntilAsync(Func<bool> condition, string what) =>
        _polled.UntilAsync(
            () =>
            {
                if (condition())
                {
                    return true;
                }
                // It may not wait for the clock yet: then the next turn wakes it.
                _clock.Advance(TimeSpan.FromSeconds(10));
                return condition();
            },
            what
        );

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        TestRun.Search.LookAt("the status", Source.Status.ToString());
    }

    private void Collect()
    {
        while (_output.Reader.TryRead(out var batch))
        {
            Batches.Add(batch);
        }
    }
}
