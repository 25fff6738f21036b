using System.Buffers;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>
/// Takes in, by sequence, all that the stream has: first what was published while nobody listened, then, every few
/// seconds, what was heard meanwhile once more.
/// </summary>
/// <remarks>
/// A live message carries no sequence, and nothing orders it against the stream's own count: a cluster routes the two
/// by different ways, and even one server stores a message some time after it was routed. So hearing never moves the
/// checkpoint; only reading does. What is read twice collapses in the registry, by its id and by what it says.
/// </remarks>
/// <param name="source">The name of the source that reads.</param>
/// <param name="position">How far it had come; null at the first start, which takes nothing from the past.</param>
/// <param name="intake">Reads and counts the messages.</param>
/// <param name="output">Where they go.</param>
/// <param name="clock">Our clock.</param>
/// <param name="logger">For what was read, and what cannot be.</param>
internal sealed class StreamBackfill(
    string source,
    StreamPosition? position,
    MessageIntake intake,
    ChannelWriter<ObservationBatch> output,
    TimeProvider clock,
    ILogger logger
)
{
    // All of a window are asked for at once. Each message is a batch of its own, so that slow listeners keep no more
    // of them waiting than the channel holds.
    private const int Window = 32;
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UnreadableBackOff = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ProgressTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ClockDoubt = TimeSpan.FromMinutes(1);

    private StreamPosition? _position = position;
    private string? _explained;

    // Read by others.
    private volatile TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile BackfillGap? _gap;
    private volatile string? _unreadable;
    private volatile string _story = "";

    /// <summary>Done once what was missed is read back, or cannot be, or <see cref="LetLivePass"/> was called.</summary>
    public Task CaughtUp => _caughtUp.Task;

    /// <summary>What there is to say of it, as a clause; empty for nothing.</summary>
    public string Detail
    {
        get
        {
            if (_unreadable is { } reason)
            {
                return $"no backfill: {reason}";
            }
            return _gap is { Total: > 0 } gap && clock.GetUtcNow() - gap.Begun > ProgressTimeout
                ? $"reads back what was missed: {gap.Done} of {gap.Total} messages"
                : _story;
        }
    }

    /// <summary>To be called before a new connection subscribes: what was missed comes before what is live.</summary>
    public void Begin()
    {
        _gap = new BackfillGap(clock.GetUtcNow());
        _caughtUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>What is live waits no longer.</summary>
    public void LetLivePass() => _caughtUp.TrySetResult();

    /// <summary>
    /// Reads until <paramref name="cancellationToken"/> fires. To be called when the server knows the subscriptions:
    /// what it stores from then on is also heard.
    /// </summary>
    public async Task RunAsync(SessionStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var wait = PollInterval;
            try
            {
                await ReadOnAsync(stream, cancellationToken);
            }
            catch (StreamUnreadableException e) when (!cancellationToken.IsCancellationRequested)
            {
                await ExplainAsync(e, cancellationToken);
                wait = UnreadableBackOff;
            }
            LetLivePass();
            await Task.Delay(wait, clock, cancellationToken);
        }
    }

    // From where we are to the present end of the stream.
    private async Task ReadOnAsync(SessionStream stream, CancellationToken cancellationToken)
    {
        var extent = await stream.LookAsync(cancellationToken);
        _unreadable = null;
        var (position, news) = await StartAsync(stream, extent, cancellationToken);
        var next = Math.Max(position.Sequence + 1, extent.First);
        var gone = next - position.Sequence - 1;
        _gap?.Total = _gap.Done + (extent.Last + 1 - next);
        while (next <= extent.Last)
        {
            var count = (int)Math.Min(Window, extent.Last + 1 - next);
            foreach (var message in await stream.ReadAsync(next, count, cancellationToken))
            {
                if (message is null)
                {
                    gone++;
                }
                else
                {
                    _gap?.AddLost(gone, position.StoredAt, message.StoredAt);
                    gone = 0;
                    position = position with { Sequence = next, StoredAt = message.StoredAt };
                    if (position.StoredAt >= news)
                    {
                        await TakeAsync(message, position, cancellationToken);
                    }
                }
                next++;
            }
            _gap?.Done += (ulong)count;
            if (position.StoredAt >= news)
            {
                position = position with { Sequence = next - 1 };
                await MoveAsync(position, [], cancellationToken);
            }
        }
        _gap?.AddLost(gone, position.StoredAt, extent.LastAt);
        if (position.Sequence < extent.Last)
        {
            position = position with { Sequence = extent.Last, StoredAt = extent.LastAt ?? position.StoredAt };
        }
        await MoveAsync(position, [], cancellationToken);
        CaughtUpWith(extent);
    }

    // Where to read on from, and since when what is read there may be news.
    private async Task<(StreamPosition From, DateTimeOffset News)> StartAsync(
        SessionStream stream,
        StreamExtent extent,
        CancellationToken cancellationToken
    )
    {
        var beginning = new StreamPosition(extent.Created, 0, null);
        if (_position is null)
        {
            return (beginning with { Sequence = extent.Last, StoredAt = extent.LastAt }, default);
        }
        if (_position.Created != extent.Created)
        {
            _gap?.Anew = _position.Created is not null;
            logger.LogWarning(
                "The stream {Stream} is a new one, made at {Created:u}: it is read from its first message on.",
                SessionStream.Name,
                extent.Created
            );
            return (beginning, default);
        }
        if (extent.Last >= _position.Sequence && !await IsReplacedAsync(_position, stream, cancellationToken))
        {
            return (_position, default);
        }
        logger.LogWarning(
            "The stream {Stream} has lost its end, as a crash may do: it is read again from its first message on.",
            SessionStream.Name
        );
        return (beginning, _position.StoredAt - ClockDoubt ?? default);
    }

    // A server that lost the end of a stream gives the same sequences again.
    private static async Task<bool> IsReplacedAsync(
        StreamPosition position,
        SessionStream stream,
        CancellationToken cancellationToken
    ) =>
        position is { Sequence: > 0, StoredAt: { } storedAt }
        && (await stream.ReadAsync(position.Sequence, 1, cancellationToken))[0] is { } message
        && message.StoredAt > storedAt;

    private async Task TakeAsync(StoredMessage message, StreamPosition position, CancellationToken cancellationToken)
    {
        // The copies on the platform's subjects are passed over.
        if (!SessionSubjects.All.Contains(message.Subject))
        {
            return;
        }
        var body = new ReadOnlySequence<byte>(message.Body);
        var seen = intake.TakeStored(message.Subject, body, out var missed);
        _gap?.Taken += missed ? 1 : 0;
        if (seen is not null)
        {
            await MoveAsync(position, [seen], cancellationToken);
        }
    }

    private async Task MoveAsync(
        StreamPosition position,
        IReadOnlyList<Observation> seen,
        CancellationToken cancellationToken
    )
    {
        if (position != _position)
        {
            await output.WriteAsync(new ObservationBatch(source, seen, position.ToString()), cancellationToken);
            _position = position;
        }
    }

    private void CaughtUpWith(StreamExtent extent)
    {
        _explained = null;
        if (_gap is null)
        {
            return;
        }
        _story = string.Join("; ", _gap.Story(extent.Keeps));
        if (_story.Length > 0)
        {
            logger.Log(
                _gap.Lost ? LogLevel.Warning : LogLevel.Information,
                "After the gap, in {Seconds:F1} s: {Story}.",
                (clock.GetUtcNow() - _gap.Begun).TotalSeconds,
                _story
            );
        }
        _gap = null;
    }

    private async Task ExplainAsync(StreamUnreadableException why, CancellationToken cancellationToken)
    {
        if (why.NoStream)
        {
            // Nothing to read back; and whatever is in a stream that appears later came after now.
            _gap = null;
            await MoveAsync(_position ?? StreamPosition.NoStream, [], cancellationToken);
        }
        if (why.Message != _explained)
        {
            logger.LogWarning("No backfill: {Reason}. What is published while nobody listens is missed.", why.Message);
        }
        _explained = why.Message;
        _unreadable = why.Message;
    }
}
