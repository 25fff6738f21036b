using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Delivery;

/// <summary>What became of a request.</summary>
/// <param name="Response">Null: it was too old to send.</param>
/// <param name="Unsettled">The request, when it is still to be delivered.</param>
internal sealed record Sent(IntakeResponse? Response, RequestHeader? Unsettled);

/// <summary>Sends single requests of a lane and books what became of them.</summary>
internal sealed class RequestSender(Lane lane, Outbox outbox, Action<Lane, int> sent, ILogger logger)
{
    private const string Damaged = "damaged on disk";

    private readonly EncodedSender _encoded = new(lane, sent);

    /// <summary>
    /// Sends a request that was handed out and settles it, or leaves it to the caller to give back. Whatever goes wrong is
    /// an answer, so that no other request is left alone.
    /// </summary>
    public async Task<Sent> SendAsync(DatadogClient client, RequestHeader header, CancellationToken stop)
    {
        try
        {
            var (answer, reason, to) = await TryAsync(client, header, stop).ConfigureAwait(false);
            if (to is not { } account)
            {
                return new Sent(answer, header);
            }

            await SettleAsync(header, answer, account, reason, stop).ConfigureAwait(false);
            return new Sent(answer, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new Sent(IntakeResponse.None("stopped before it was sent"), header);
        }
        // Its warning tells of it, once; the lane backs off, and tries again.
        catch (StoreUnavailableException error)
        {
            return new Sent(IntakeResponse.None(error.Message), header);
        }
        // So for anything else.
        catch (Exception error)
        {
            logger.LogError(error, "Lane {Lane} could not work on its queue", lane);
            return new Sent(IntakeResponse.None(error.Message), header);
        }
    }

    private async Task<(IntakeResponse? Response, string? Reason, Account? To)> TryAsync(
        DatadogClient client,
        RequestHeader header,
        CancellationToken stop
    )
    {
        if (client.HasKey && outbox.Age.SeemsTooOld(header))
        {
            await client.CheckKeyAsync(stop).ConfigureAwait(false);
        }

        if (outbox.Age.IsTooOld(header))
        {
            return (null, RequestAge.TooOld, Account.Expired);
        }

        if (outbox.Age.IsAhead(header))
        {
            return (null, RequestAge.Ahead, Account.Expired);
        }

        if (!client.MaySend(lane))
        {
            return (new IntakeResponse(Verdict.Refused, null, "no API key is set", null), null, null);
        }

        ReadOnlyMemory<byte> body;
        try
        {
            body = await outbox.ReadAsync(header, stop).ConfigureAwait(false);
        }
        catch (Exception error) when (error is InvalidDataException or KeyNotFoundException)
        {
            logger.LogError(error, "Lane {Lane}: the store has lost a request", lane);
            return (new IntakeResponse(Verdict.Bad, null, Damaged, null), Damaged, Account.Rejected);
        }
        var answer = await _encoded.SendAsync(client, header, body, stop).ConfigureAwait(false);
        return answer.Verdict switch
        {
            // The same bytes would be dropped again: whatever onUncertain says, they are not sent once more.
            Verdict.Delivered when answer.At is { } theirs && RequestAge.IsDropped(header, theirs) => (
                answer,
                Dropped(header, theirs),
                Account.Uncertain
            ),
            Verdict.Delivered when answer.Rejected > 0 => (answer, answer.Error, Account.Delivered),
            Verdict.Delivered => (answer, null, Account.Delivered),
            Verdict.Bad => (answer, answer.Error, Account.Rejected),
            _ when answer.IsUncertain && client.Skips(lane) => (answer, "no answer", Account.Uncertain),
            _ => (answer, null, null),
        };
    }

    private async Task SettleAsync(
        RequestHeader header,
        IntakeResponse? answer,
        Account account,
        string? reason,
        CancellationToken stop
    )
    {
        if (answer is { IsTooLarge: true } && await HalveAsync(header, stop).ConfigureAwait(false) is { } parts)
        {
            await outbox.ReplaceAsync(header, parts).ConfigureAwait(false);
            return;
        }
        var rejected = account == Account.Delivered ? Math.Min(answer!.Rejected, header.Units) : 0;
        if (account == Account.Rejected || rejected > 0)
        {
            logger.LogWarning("Lane {Lane}: Datadog rejected something for good: {Error}", lane, reason);
        }

        if (rejected > 0)
        {
            await outbox.SettlePartlyAsync(header, rejected, reason).ConfigureAwait(false);
        }
        else
        {
            await outbox.SettleAsync([header], account, reason).ConfigureAwait(false);
        }
    }

    // Null: there is nothing to part.
    private async Task<IReadOnlyList<QueuedRequest>?> HalveAsync(RequestHeader header, CancellationToken stop)
    {
        var body = await outbox.ReadAsync(header, stop).ConfigureAwait(false);
        if (lane.Halve(CompressedBody.Unpack(header.ContentEncoding, body)) is not { } halves)
        {
            return null;
        }

        return
        [
            .. halves.Select(half =>
            {
                var packed = header.ContentEncoding is { } encoding
                    ? CompressedBody.Pack(encoding, half.Raw)
                    : half.Raw;
                var id = outbox.NextId();
                return new QueuedRequest(header with { Id = id, Size = packed.Length, Units = half.Units }, packed);
            }),
        ];
    }

    private string Dropped(RequestHeader header, DateTimeOffset theirs)
    {
        logger.LogError(
            "Lane {Lane}: {Units} units of {At:u} were taken at {Theirs:u} by Datadog's clock, which drops them without a word",
            lane,
            header.Units,
            header.Oldest,
            theirs
        );
        return "clock";
    }
}
