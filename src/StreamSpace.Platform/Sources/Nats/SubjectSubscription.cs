using System.Buffers;
using NATS.Client.Core;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>
/// A subscription that hands each message on as it comes off the connection, so that messages of several subjects
/// keep their order and a slow listener slows the reading instead of losing something.
/// </summary>
internal sealed class SubjectSubscription(
    NatsConnection connection,
    string subject,
    Func<string, ReadOnlySequence<byte>, ValueTask> take
) : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null)
{
    /// <inheritdoc/>
    protected override ValueTask ReceiveInternalAsync(
        string subject,
        string? replyTo,
        ReadOnlySequence<byte>? headersBuffer,
        ReadOnlySequence<byte> payloadBuffer
    ) => take(subject, payloadBuffer);

    /// <inheritdoc/>
    protected override void TryComplete() { }
}
