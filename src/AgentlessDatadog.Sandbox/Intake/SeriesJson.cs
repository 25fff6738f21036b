using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Reads the three JSON bodies that carry points; they look alike and differ in every detail (docs/reference/datadog.md §3).</summary>
internal static class SeriesJson
{
    /// <summary><c>/api/v1/series</c> (§3.2): type is a string, a point a pair, the host at the top.</summary>
    /// <exception cref="ApiError">400, naming the place.</exception>
    public static List<IncomingSeries> ReadV1(ReadOnlyMemory<byte> body) =>
        Read(
            body,
            static (item, path) =>
                new IncomingSeries(
                    JsonShape.RequiredText(item, "metric", path),
                    TypeV1(item, path),
                    IntervalOf(item, path),
                    "",
                    TagsV1(item, path),
                    Points(item, path, PairV1)
                )
        );

    /// <summary><c>/api/v2/series</c> (§3.1): type is a number, a point an object, the host a resource.</summary>
    /// <exception cref="ApiError">400, naming the place.</exception>
    public static List<IncomingSeries> ReadV2(ReadOnlyMemory<byte> body) =>
        Read(
            body,
            static (item, path) =>
                new IncomingSeries(
                    JsonShape.RequiredText(item, "metric", path),
                    TypeV2(item, path),
                    IntervalOf(item, path),
                    JsonShape.OptionalText(item, "unit", path) ?? "",
                    TagsV2(item, path),
                    Points(item, path, ObjectV2)
                )
        );

    /// <summary><c>/api/v1/distribution_points</c> (§3.3): a point pairs a time with a list of values.</summary>
    /// <exception cref="ApiError">400, naming the place.</exception>
    public static List<IncomingSeries> ReadDistributions(ReadOnlyMemory<byte> body) =>
        Read(
            body,
            static (item, path) =>
            {
                if ((JsonShape.OptionalText(item, "type", path) ?? "distribution") != "distribution")
                {
                    throw JsonShape.Wrong($"{path}.type", "distribution");
                }
                return new IncomingSeries(
                    JsonShape.RequiredText(item, "metric", path),
                    IntakeMetricType.Distribution,
                    0,
                    "",
                    TagsV1(item, path),
                    Points(item, path, ValuesOfDistribution)
                );
            }
        );

    private static List<IncomingSeries> Read(
        ReadOnlyMemory<byte> body,
        Func<JsonElement, string, IncomingSeries> readItem
    ) =>
        JsonShape.Read(
            body,
            root =>
            {
                var list = JsonShape.Series(root);
                var series = new List<IncomingSeries>(list.GetArrayLength());
                foreach (var item in list.EnumerateArray())
                {
                    series.Add(readItem(item, $"series[{series.Count}]"));
                }
                return series;
            }
        );

    private static List<MetricPoint> Points(
        JsonElement item,
        string path,
        Action<JsonElement, string, List<MetricPoint>> readPoint
    )
    {
        var points = JsonShape.Required(item, "points", JsonValueKind.Array, path, "a list");
        var samples = new List<MetricPoint>(points.GetArrayLength());
        var index = 0;
        foreach (var point in points.EnumerateArray())
        {
            readPoint(point, $"{path}.points[{index++}]", samples);
        }
        return samples;
    }

    private static void PairV1(JsonElement point, string path, List<MetricPoint> samples)
    {
        var (time, value) = Pair(point, path, "a pair of a time and a number");
        samples.Add(new MetricPoint(time, JsonShape.Number(value, path)));
    }

    private static void ObjectV2(JsonElement point, string path, List<MetricPoint> samples)
    {
        var time = JsonShape.Required(point, "timestamp", JsonValueKind.Number, path, "a whole number");
        var value = JsonShape.Required(point, "value", JsonValueKind.Number, path, "a number");
        samples.Add(new MetricPoint(JsonShape.Integer(time, $"{path}.timestamp"), value.GetDouble()));
    }

    private static void ValuesOfDistribution(JsonElement point, string path, List<MetricPoint> samples)
    {
        const string shape = "a pair of a time and a list of numbers";
        var (time, values) = Pair(point, path, shape);
        JsonShape.Expect(values, JsonValueKind.Array, path, shape);
        foreach (var value in values.EnumerateArray())
        {
            samples.Add(new MetricPoint(time, JsonShape.Number(value, path)));
        }
    }

    private static (long Time, JsonElement Value) Pair(JsonElement point, string path, string what)
    {
        if (point.ValueKind != JsonValueKind.Array || point.GetArrayLength() != 2)
        {
            throw JsonShape.Wrong(path, what);
        }
        // The spec calls both a number, so 1.5 is a time; a time out of range saturates and falls to the window.
        return ((long)Math.Floor(JsonShape.Number(point[0], path)), point[1]);
    }

    private static IntakeMetricType TypeV1(JsonElement item, string path) =>
        (JsonShape.OptionalText(item, "type", path) ?? "") switch
        {
            "" => IntakeMetricType.Unspecified,
            "count" => IntakeMetricType.Count,
            "rate" => IntakeMetricType.Rate,
            "gauge" => IntakeMetricType.Gauge,
            _ => throw JsonShape.Wrong($"{path}.type", "count, rate or gauge"),
        };

    private static IntakeMetricType TypeV2(JsonElement item, string path) =>
        (JsonShape.OptionalInteger(item, "type", path) ?? 0) switch
        {
            0 => IntakeMetricType.Unspecified,
            1 => IntakeMetricType.Count,
            2 => IntakeMetricType.Rate,
            3 => IntakeMetricType.Gauge,
            _ => throw JsonShape.Wrong($"{path}.type", "0, 1 (count), 2 (rate) or 3 (gauge)"),
        };

    private static long IntervalOf(JsonElement item, string path) =>
        Math.Max(0, JsonShape.OptionalInteger(item, "interval", path) ?? 0);

    private static List<string> TagsV1(JsonElement item, string path)
    {
        var tags = JsonShape.Strings(item, "tags", path);
        AddResource(tags, "host", JsonShape.OptionalText(item, "host", path));
        AddResource(tags, "device", JsonShape.OptionalText(item, "device", path));
        return tags;
    }

    private static List<string> TagsV2(JsonElement item, string path)
    {
        var tags = JsonShape.Strings(item, "tags", path);
        if (JsonShape.Optional(item, "resources", JsonValueKind.Array, path, "a list") is { } resources)
        {
            var index = 0;
            foreach (var resource in resources.EnumerateArray())
            {
                var place = $"{path}.resources[{index++}]";
                AddResource(
                    tags,
                    JsonShape.RequiredText(resource, "type", place),
                    JsonShape.RequiredText(resource, "name", place)
                );
            }
        }
        return tags;
    }

    private static void AddResource(List<string> tags, string type, string? name)
    {
        if (!string.IsNullOrEmpty(name))
        {
            tags.Add($"{type}:{name}");
        }
    }
}
