using AgentlessDatadog.Sandbox.Protos;
using Google.Protobuf;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Reads the protobuf body of <c>/api/v2/series</c> (§3.1).</summary>
internal static class SeriesProtobuf
{
    /// <exception cref="Refusal">400: not such a message, or a type outside the enum.</exception>
    public static List<IncomingSeries> Read(ReadOnlySpan<byte> body)
    {
        WirePayload payload;
        try
        {
            payload = WirePayload.Parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Refusal.BadRequest($"Unable to parse the protobuf payload: {e.Message}");
        }
        var series = new List<IncomingSeries>(payload.Series.Count);
        foreach (var wire in payload.Series)
        {
            series.Add(
                new IncomingSeries(
                    wire.Metric,
                    TypeOf(wire, series.Count),
                    Math.Max(0, wire.Interval),
                    wire.Unit,
                    TagsOf(wire),
                    SamplesOf(wire)
                )
            );
        }
        return series;
    }

    private static MetricType TypeOf(WireSeries wire, int index) =>
        wire.Type switch
        {
            WireMetricType.Unspecified => MetricType.Unspecified,
            WireMetricType.Count => MetricType.Count,
            WireMetricType.Rate => MetricType.Rate,
            WireMetricType.Gauge => MetricType.Gauge,
            _ => throw Refusal.BadRequest($"series[{index}].type: {(int)wire.Type} is not a type; 0 to 3 are"),
        };

    private static IReadOnlyList<string> TagsOf(WireSeries wire)
    {
        if (wire.Resources.Count == 0)
        {
            return wire.Tags;
        }
        var tags = new List<string>(wire.Tags.Count + wire.Resources.Count);
        tags.AddRange(wire.Tags);
        tags.AddRange(
            wire.Resources.Where(resource => resource.Name.Length > 0)
                .Select(resource => $"{resource.Type}:{resource.Name}")
        );
        return tags;
    }

    private static Sample[] SamplesOf(WireSeries wire)
    {
        var samples = new Sample[wire.Points.Count];
        for (var i = 0; i < samples.Length; i++)
        {
            samples[i] = new Sample(wire.Points[i].Timestamp, wire.Points[i].Value);
        }
        return samples;
    }
}
