using System.Buffers;
using System.Threading.Channels;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>
/// Hands on what is heard, in its order and behind what was missed: a state older than the last one known would tell
/// nothing any more. It waits for the backfill only so long, and only so many wait.
/// </summary>
internal sealed class LiveMessages(
    string source,
    MessageIntake intake,
    StreamBackfill backfill,
    ChannelWriter<ObservationBatch> output,
    TimeProvider clock
)
{
    private const int Held = 4096;
    private static readonly TimeSpan BackfillTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<SessionObservation> _heard = Channel.CreateBounded<SessionObservation>(Held);

    /// <summary>Takes a message off the connection; slow listeners make it wait.</summary>
    public async ValueTask TakeAsync(string subject, ReadOnlySequence<byte> body, CancellationToken cancellationToken)
    {
        if (intake.Take(subject, body) is not { } seen || _heard.Writer.TryWrite(seen))
        {
            return;
        }
        // While this waits the connection brings nothing, and so no answer to the backfill either.
        backfill.LetLivePass();
        try
        {
            await _heard.Writer.WriteAsync(seen, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The connection is being closed: this message belongs to the time in which we are deaf.
        }
    }

    /// <summary>Hands on until <paramref name="cancellationToken"/> fires.</summary>
    public async Task HandOnAsync(CancellationToken cancellationToken)
    {
        await foreach (var seen in _heard.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                await backfill.CaughtUp.WaitAsync(BackfillTimeout, clock, cancellationToken);
            }
            catch (TimeoutException)
            {
                backfill.LetLivePass();
            }
            await output.WriteAsync(new ObservationBatch(source, [seen]), cancellationToken);
        }
    }
}
