using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Distributions;
using AgentlessDatadog.Signals.Events;
using AgentlessDatadog.Signals.Metrics;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Signals;

/// <summary>A flush as requests.</summary>
/// <param name="Payloads">Ready for the outbox.</param>
/// <param name="Moves">Acceptance of the points that no item of the ledger is in.</param>
/// <param name="Points">Number of points.</param>
internal sealed record EncodedFlush(List<QueuedRequest> Payloads, List<LedgerMove> Moves, int Points);

/// <summary>Makes requests.</summary>
internal sealed class FlushEncoder(Func<long> nextId)
{
    public EncodedFlush Encode(FlushSnapshot snapshot, TelemetryOptions options)
    {
        using var series = new SeriesEncoder(snapshot, Lane.Metrics.Encodings[0]);
        var distributions = new DistributionEncoder(snapshot);
        var ofSeries = series.Encode();
        var ofDistributions = distributions.Encode();
        List<QueuedRequest> payloads =
        [
            .. ofSeries.Select(request => Address(request, Lane.Metrics, options)),
            .. ofDistributions.Select(request => Address(request, Lane.Distributions, options)),
        ];
        List<LedgerMove> moves =
        [
            new(Lane.Metrics, Account.Queued, series.NewUnits),
            new(Lane.Distributions, Account.Queued, distributions.NewUnits),
        ];
        moves.RemoveAll(move => move.Units == 0);
        return new EncodedFlush(payloads, moves, ofSeries.Concat(ofDistributions).Sum(request => request.Points));
    }

    public QueuedRequest Encode(DatadogEvent what, TelemetryOptions options)
    {
        var body = EventEncoder.Encode(what, options.Tags);
        return Address(new EncodedRequest(body, null, 1, 0, what.At.ToUnixTimeSeconds()), Lane.Events, options);
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
