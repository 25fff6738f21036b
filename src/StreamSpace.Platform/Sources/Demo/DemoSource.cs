using System.Threading.Channels;
using StreamSpace.Platform.Feed;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Demo;

/// <summary>
/// Invents a working day on a small platform, a second every second: the same for the same seed and the same clock.
/// What it says must be marked as demo (<see cref="PlatformFeed"/>) and never leave the machine.
/// </summary>
public sealed class DemoSource : ISource
{
    private static readonly TimeSpan StepEvery = TimeSpan.FromSeconds(1);

    private readonly int _seed;
    private readonly TimeProvider _clock;
    private volatile SourceStatus _status;
    private long _received;

    /// <summary>Invents nothing yet.</summary>
    public DemoSource(int seed, TimeProvider clock)
    {
        _seed = seed;
        _clock = clock;
        _status = new SourceStatus(
            Name,
            SourceState.Connecting,
            "The demo platform has not opened yet.",
            clock.GetUtcNow()
        );
    }

    /// <inheritdoc/>
    public string Name => "demo";

    /// <inheritdoc/>
    public SourceStatus Status => _status with { Received = Interlocked.Read(ref _received) };

    /// <inheritdoc/>
    public async Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        var opened = _clock.GetUtcNow();
        var day = new DemoDay(_seed, opened);
        _status = new SourceStatus(Name, SourceState.Up, "Invented users and sessions.", opened);
        using var timer = new PeriodicTimer(StepEvery, _clock);
        try
        {
            do
            {
                var seen = day.Step(_clock.GetUtcNow());
                Interlocked.Add(ref _received, seen.Count);
                await output.WriteAsync(new ObservationBatch(Name, seen), cancellationToken);
            } while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            _status = new SourceStatus(Name, SourceState.Stopped, "Stopped.", _clock.GetUtcNow());
        }
    }
}
