using System.Buffers.Binary;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Delivery;

/// <summary>
/// One signal for each lane that is on, made and sent as any other is, but past the store: what is answered is told, and
/// booked nowhere.
/// </summary>
internal sealed class Canaries(TelemetryOptions options, DatadogClock clock)
{
    /// <summary>For all of them, with the questions about the key that a refusal leads to.</summary>
    public static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(25);

    private const string Title = "Connection test";
    private const string Prefix = "agentless_datadog.";

    public async Task<IReadOnlyList<LaneTest>> SendAsync(DatadogClient client, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(SendTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var sending = Make().Select(canary => SendAsync(client, canary, either.Token)).ToList();
        var tests = await Task.WhenAll(sending).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return tests;
    }

    private async Task<LaneTest> SendAsync(DatadogClient client, QueuedRequest canary, CancellationToken stop)
    {
        var lane = canary.Header.Lane;
        var begun = clock.GetTimestamp();
        var answer = client.MaySend(lane)
            ? await new EncodedSender(lane, (_, _) => { })
                .SendAsync(client, canary.Header, canary.Body, stop)
                .ConfigureAwait(false)
            : new IntakeResponse(Verdict.Refused, null, "no API key is set", null);
        var test = new LaneTest(lane.Name, answer.Verdict, answer.Status, answer.Error, clock.GetElapsedTime(begun));
        if (!answer.Parks(lane))
        {
            return test;
        }

        try
        {
            var (reason, words) = await client.ExplainAsync(lane, answer, stop).ConfigureAwait(false);
            return test with { ParkReason = reason, Message = words };
        }
        catch (OperationCanceledException)
        {
            return test with { ParkReason = ParkReason.Unexplained };
        }
    }

    private List<QueuedRequest> Make()
    {
        // Datadog takes points of its own seconds: those of this machine may be others.
        var now = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds());
        var id = BinaryPrimitives.ReadUInt64BigEndian(Guid.NewGuid().ToByteArray());
        var table = new SeriesTable(clock);
        table.UseGlobalTags(options.Tags);
        var aggregate = new Aggregate(table);
        var (prefix, tags) = options.SelfMetrics is { } self ? (self.Prefix, self.Tags) : (Prefix, []);
        if (options.Metrics)
        {
            Count(new Measurement($"{prefix}canary", MetricType.Gauge, 1, tags));
            Count(new Measurement($"{prefix}canary_distribution", MetricType.Distribution, 1, tags));
        }

        var signals = new PendingWrite().With(
            [new LogEntry(Title, now) { Tags = tags }, new Span(id, id, "connection.test", now, TimeSpan.Zero)],
            options,
            now
        );
        aggregate.Add(signals.Encoded);
        var ids = 0L;
        var encoder = new FlushEncoder(() => ids++);
        var told = new DatadogEvent(Title, "It was sent to see whether events arrive; nothing has happened.", now)
        {
            Tags = tags,
            LowPriority = true,
            AggregationKey = Title,
        };
        return
        [
            .. encoder.Encode(aggregate.Take(now.ToUnixTimeSeconds(), 1), options).Requests,
            encoder.Encode(told, options),
        ];

        void Count(Measurement measurement)
        {
            aggregate.Find(measurement, out var series);
            aggregate.Apply(series!, measurement);
        }
    }
}
