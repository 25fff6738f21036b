using System.Threading.Channels;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Webhooks;

/// <summary>
/// Hears what is posted to it: StreamSpace's webhooks, or whoever knows of sessions and users. Whoever posts learns
/// when it is durable.
/// </summary>
public sealed class WebhookSource : ISource
{
    // Whoever posts has it still, and may post it again.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _clock;
    private readonly DateTimeOffset _begun;

    // Whoever posts before it runs waits for that.
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ChannelWriter<ObservationBatch>? _output;
    private long _received;

    /// <param name="clock">Our clock.</param>
    /// <param name="ownsUsers">
    /// False when another source tells of users: each user fact has one owner, or it would be counted twice.
    /// </param>
    public WebhookSource(TimeProvider clock, bool ownsUsers)
    {
        _clock = clock;
        _begun = clock.GetUtcNow();
        OwnsUsers = ownsUsers;
    }

    /// <inheritdoc/>
    public string Name => "http";

    /// <summary>Whether facts about users are taken here.</summary>
    public bool OwnsUsers { get; }

    /// <inheritdoc/>
    public SourceStatus Status =>
        new(
            Name,
            _output is null ? SourceState.Stopped : SourceState.Up,
            OwnsUsers ? "Takes POST /api/events." : "Takes POST /api/events, but for users, of whom PostgreSQL tells.",
            _begun
        )
        {
            Received = Interlocked.Read(ref _received),
        };

    /// <inheritdoc/>
    public async Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        _output = output;
        _started.TrySetResult();
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _clock, cancellationToken);
        }
        finally
        {
            _output = null;
        }
    }

    /// <summary>
    /// Hands observations on; returns once what they mean is on disk. False
    /// when it is not, or not within ten seconds: they may be handed in again, and count once.
    /// </summary>
    public async Task<bool> TakeAsync(IReadOnlyList<Observation> observations, CancellationToken cancellationToken)
    {
        var durable = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var timeout = new CancellationTokenSource(AnswerTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await _started.Task.WaitAsync(either.Token);
            if (_output is not { } output)
            {
                return false;
            }
            await output.WriteAsync(new ObservationBatch(Name, observations) { Durable = durable }, either.Token);
            var isDurable = await durable.Task.WaitAsync(either.Token);
            Interlocked.Add(ref _received, observations.Count);
            return isDurable;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
