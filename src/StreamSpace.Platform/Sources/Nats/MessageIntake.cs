using System.Buffers;
using System.Security.Cryptography;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>Reads the messages of a source and counts them. Used from any thread.</summary>
internal sealed class MessageIntake(SourceHealth health, TimeProvider clock)
{
    // More than are heard in the seconds between two looks at the stream, which shows each of them again.
    private const int RememberedMessages = 8192;

    private readonly Lock _lock = new();
    private readonly RecentIds _heard = new(RememberedMessages);

    /// <summary>What a message that was heard says, or null when it is skipped.</summary>
    /// <param name="subject">One of <see cref="SessionSubjects.All"/>.</param>
    /// <param name="body">Its bytes.</param>
    public SessionObservation? Take(string subject, ReadOnlySequence<byte> body)
    {
        Remember(subject, body);
        return Read(subject, body, counts: true);
    }

    /// <summary>As <see cref="Take"/>, for a message of the stream: one that was heard counts no second time.</summary>
    /// <param name="subject">One of <see cref="SessionSubjects.All"/>.</param>
    /// <param name="body">Its bytes.</param>
    /// <param name="missed">True when it was not heard.</param>
    public SessionObservation? TakeStored(string subject, ReadOnlySequence<byte> body, out bool missed)
    {
        missed = Remember(subject, body);
        return Read(subject, body, missed);
    }

    private SessionObservation? Read(string subject, ReadOnlySequence<byte> body, bool counts)
    {
        var (seen, error) = SessionMessage.Read(subject, body, clock.GetUtcNow());
        if (!counts)
        {
            return seen;
        }
        health.Received(1);
        if (error is not null)
        {
            health.Skipped(error.Kind, $"a message on {subject}: it {error.Reason}");
        }
        return seen;
    }

    // What makes no sense has no id: the bytes are what tells it from others. True when it is not remembered.
    private bool Remember(string subject, ReadOnlySequence<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in body)
        {
            hash.AppendData(piece.Span);
        }
        var id = $"{subject} {Convert.ToBase64String(hash.GetHashAndReset().AsSpan(0, 16))}";
        lock (_lock)
        {
            return _heard.Add(id);
        }
    }
}
