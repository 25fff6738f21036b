namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Reads the protobuf body of <c>/api/v2/series</c> by the numbers of its fields.</summary>
internal sealed class SeriesProtobuf
{
    private readonly ThingCount _things = new("series, tags, points and resources");

    /// <exception cref="ApiError">400: not such a message, or a type outside the enum. 413: too many things in it.</exception>
    public static List<IncomingSeries> Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return new SeriesProtobuf().ReadPayload(body);
        }
        catch (InvalidDataException e)
        {
            throw ApiError.BadRequest($"Unable to parse the protobuf payload: {e.Message}");
        }
    }

    private List<IncomingSeries> ReadPayload(ReadOnlySpan<byte> body)
    {
        var series = new List<IncomingSeries>();
        var reader = new ProtobufReader(body);
        while (reader.Next())
        {
            if (reader.Field is (1, ProtobufReader.Delimited))
            {
                _things.Add();
                series.Add(ReadSeries(reader.TakeBytes(), series.Count));
            }
            else
            {
                reader.Skip();
            }
        }
        return series;
    }

    private IncomingSeries ReadSeries(ReadOnlySpan<byte> message, int index)
    {
        var (metric, unit) = ("", "");
        var (type, interval) = (IntakeMetricType.Unspecified, 0L);
        List<string>? tags = null;
        List<MetricPoint>? samples = null;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    _things.Add();
                    if (ReadResource(reader.TakeBytes()) is { } resource)
                    {
                        (tags ??= []).Add(resource);
                    }
                    break;
                case (2, ProtobufReader.Delimited):
                    metric = reader.TakeText();
                    break;
                case (3, ProtobufReader.Delimited):
                    _things.Add();
                    (tags ??= []).Add(reader.TakeText());
                    break;
                case (4, ProtobufReader.Delimited):
                    _things.Add();
                    (samples ??= []).Add(ReadPoint(reader.TakeBytes()));
                    break;
                case (5, ProtobufReader.Varint):
                    type = TypeOf((int)reader.TakeVarint(), index);
                    break;
                case (6, ProtobufReader.Delimited):
                    unit = reader.TakeText();
                    break;
                case (8, ProtobufReader.Varint):
                    interval = Math.Max(0, (long)reader.TakeVarint());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new IncomingSeries(metric, type, interval, unit, tags ?? [], samples ?? []);
    }

    /// <returns>The tag that it amounts to; null for one without a name.</returns>
    private static string? ReadResource(ReadOnlySpan<byte> message)
    {
        var (type, name) = ("", "");
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    type = reader.TakeText();
                    break;
                case (2, ProtobufReader.Delimited):
                    name = reader.TakeText();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return name.Length > 0 ? $"{type}:{name}" : null;
    }

    private static MetricPoint ReadPoint(ReadOnlySpan<byte> message)
    {
        var (value, time) = (0.0, 0L);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.EightBytes):
                    value = reader.TakeDouble();
                    break;
                case (2, ProtobufReader.Varint):
                    time = (long)reader.TakeVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new MetricPoint(time, value);
    }

    private static IntakeMetricType TypeOf(int type, int index) =>
        type switch
        {
            0 => IntakeMetricType.Unspecified,
            1 => IntakeMetricType.Count,
            2 => IntakeMetricType.Rate,
            3 => IntakeMetricType.Gauge,
            _ => throw ApiError.BadRequest($"series[{index}].type: {type} is not a type; 0 to 3 are"),
        };
}
