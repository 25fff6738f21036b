using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Delivery;

/// <summary>Sends the bodies of a lane compressed in a way that the far end takes.</summary>
/// <param name="lane">Which lane.</param>
/// <param name="sent">Is told the status of each answer, or 0.</param>
internal sealed class EncodedSender(Lane lane, Action<Lane, int> sent)
{
    private volatile Understood? _understood;

    /// <summary>A far end, and the first of the lane's encodings that it takes.</summary>
    private sealed record Understood(DatadogClient By, int Encoding);

    /// <summary>
    /// Sends a body in the first of the lane's encodings that this far end has not refused, and in the next where it refuses
    /// that one now.
    /// </summary>
    public async Task<IntakeResponse> SendAsync(
        DatadogClient client,
        RequestHeader header,
        ReadOnlyMemory<byte> body,
        CancellationToken stop
    )
    {
        var index = _understood is { } known && known.By.IsSameWayAs(client) ? known.Encoding : 0;
        var answer = await SendAsAsync(client, header, body, index, stop).ConfigureAwait(false);
        while (answer.RefusesEncoding && index + 1 < lane.Encodings.Count)
        {
            answer = await SendAsAsync(client, header, body, ++index, stop).ConfigureAwait(false);
        }
        // Refused in each of them: it was something else.
        if (!answer.RefusesEncoding)
        {
            _understood = new Understood(client, index);
        }

        return answer;
    }

    private async Task<IntakeResponse> SendAsAsync(
        DatadogClient client,
        RequestHeader header,
        ReadOnlyMemory<byte> body,
        int index,
        CancellationToken stop
    )
    {
        if (header.ContentEncoding is { } made && lane.Encodings[index] is { } taken && made != taken)
        {
            body = CompressedBody.Pack(taken, CompressedBody.Unpack(made, body));
            header = header with { ContentEncoding = taken };
        }
        var answer = await client.SendAsync(header, body, stop).ConfigureAwait(false);
        sent(lane, answer.Status ?? 0);
        return answer;
    }
}
