using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Distributions;
using AgentlessDatadog.Signals.Events;
using AgentlessDatadog.Signals.Metrics;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Signals;

/// <summary>A flush as requests.</summary>
/// <param name="Requests">Ready for the outbox.</param>
/// <param name="Moves">Acceptance of the points that no item of the ledger is in.</param>
/// <param name="Points">Number of points.</param>
internal sealed record EncodedFlush(List<QueuedRequest> Requests, List<LedgerMove> Moves, int Points);

/// <summary>Makes requests.</summary>
internal sealed class FlushEncoder(Func<long> nextId)
{
    public EncodedFlush Encode(FlushSnapshot snapshot, TelemetryOptions options)
    {
        using var series = new SeriesEncoder(snapshot, Lane.Metrics.Encodings[0]);
        var distributions = new DistributionEncoder(snapshot);
        var ofSeries = series.Encode();
        var ofDistributions = distributions.Encode();
        List<QueuedRequest> requests =
        [
            .. ofSeries.Select(request => Address(request, Lane.Metrics, options)),
            .. ofDistributions.Select(request => Address(request, Lane.Distributions, options)),
            .. Lane.All.SelectMany(lane => Encode(lane, snapshot.Signals, options)),
        ];
        List<LedgerMove> moves =
        [
            new(Lane.Metrics, Account.Queued, series.NewUnits),
            new(Lane.Distributions, Account.Queued, distributions.NewUnits),
        ];
        moves.RemoveAll(move => move.Units == 0);
        return new EncodedFlush(requests, moves, ofSeries.Concat(ofDistributions).Sum(request => request.Points));
    }

    public QueuedRequest Encode(DatadogEvent what, TelemetryOptions options)
    {
        var body = EventEncoder.Encode(what, options.Tags);
        return Address(new EncodedRequest(body, null, 1, 0, what.At.ToUnixTimeSeconds()), Lane.Events, options);
    }

    // A request is given up as a whole when its oldest is too old: what is far apart in time does not share one.
    private IEnumerable<QueuedRequest> Encode(Lane lane, List<EncodedSignal> signals, TelemetryOptions options)
    {
        if (lane.Format?.Invoke(options) is not { } format)
        {
            yield break;
        }

        var byHour = signals
            .Where(signal => signal.Lane == lane)
            .GroupBy(signal => signal.At.ToUnixTimeSeconds() / 3600);
        foreach (var hour in byHour.OrderByDescending(hour => hour.Key))
        {
            foreach (var part in Parts([.. hour], lane, format))
            {
                var body = CompressedBody.Pack(lane.Encodings[0], format.Join(part));
                var oldest = part.Min(signal => signal.At).ToUnixTimeSeconds();
                yield return Address(new EncodedRequest(body, lane.Encodings[0], part.Count, 0, oldest), lane, options);
            }
        }
    }

    private static IEnumerable<List<EncodedSignal>> Parts(List<EncodedSignal> signals, Lane lane, RequestFormat format)
    {
        var from = 0;
        long bytes = format.Overhead;
        for (var i = 0; i < signals.Count; i++)
        {
            var size = signals[i].Bytes.Length + format.OverheadOfEach;
            if (i > from && (bytes + size > lane.MaxRawBytes || i - from == lane.MaxItems))
            {
                yield return signals[from..i];
                (from, bytes) = (i, format.Overhead);
            }
            bytes += size;
        }
        yield return signals[from..];
    }

    private QueuedRequest Address(EncodedRequest request, Lane lane, TelemetryOptions options)
    {
        var header = new RequestHeader(
            nextId(),
            lane,
            options.Destination,
            lane.Path,
            lane.ContentType,
            request.Encoding,
            request.Body.Length,
            request.Units,
            DateTimeOffset.FromUnixTimeSeconds(request.Oldest)
        );
        return new QueuedRequest(header, request.Body);
    }
}
