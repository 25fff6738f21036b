using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace StreamSpace.Platform;

/// <summary>Reads the messages of a source and counts them. Used from any thread.</summary>
internal sealed class MessageIntake(TimeProvider clock, ILogger logger)
{
    private readonly ConcurrentDictionary<string, long> _skipped = new(StringComparer.Ordinal);
    private long _received;

    /// <summary>How many were taken in, skipped ones among them.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>How many were skipped, by kind of fault.</summary>
    public IReadOnlyDictionary<string, long> Skipped => new Dictionary<string, long>(_skipped);

    /// <summary>What the message says, or null when it is skipped.</summary>
    /// <param name="subject">One of <see cref="SessionSubjects.All"/>.</param>
    /// <param name="body">Its bytes.</param>
    public SessionObservation? Take(string subject, ReadOnlySequence<byte> body)
    {
        Interlocked.Increment(ref _received);
        var (seen, fault) = SessionMessage.Read(subject, body, clock.GetUtcNow());
        if (fault is not null && _skipped.AddOrUpdate(fault.Kind, 1, (_, count) => count + 1) == 1)
        {
            logger.LogWarning(
                "Skipped a message on {Subject}: it {Fault}. More of this kind are only counted.",
                subject,
                fault.Sentence
            );
        }
        return seen;
    }

    /// <summary>As <see cref="Take"/>, for a message that was most likely heard already: nothing is counted.</summary>
    public SessionObservation? TakeAgain(string subject, ReadOnlySequence<byte> body) =>
        SessionMessage.Read(subject, body, clock.GetUtcNow()).Seen;
}
