using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AgentlessDatadog.Tests.Support;

/// <summary>
/// Looks at every request of a run and says what Datadog would drop or overwrite (docs/reference/datadog.md §3). Their
/// order says nothing: live data overtakes a backlog. Knows no test framework: whoever asserts looks at <see cref="Errors"/>.
/// </summary>
public sealed partial class PayloadCheck
{
    private const int MaxSeriesWire = 512_000;
    private const int MaxSeriesRaw = 5_242_880;
    private const int MaxDistributionWire = 3_200_000;
    private const int MaxDistributionRaw = 62_914_560;

    private static readonly string[] EventFields =
    [
        "title",
        "text",
        "date_happened",
        "priority",
        "alert_type",
        "aggregation_key",
        "source_type_name",
        "tags",
        "host",
        "device_name",
        "related_event_id",
    ];

    private readonly Lock _lock = new();
    private readonly List<string> _errors = [];
    private readonly Dictionary<string, int> _types = [];
    private readonly Dictionary<(string Key, long Second), ReadOnlyMemory<byte>> _points = [];

    private readonly LogCheck _logs;
    private readonly SpanCheck _spans;

    public PayloadCheck()
    {
        _logs = new LogCheck(Require, LookAtTag);
        _spans = new SpanCheck(Require);
    }

    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (_lock)
            {
                return [.. _errors];
            }
        }
    }

    /// <summary>Unpacks a body as its Content-Encoding says.</summary>
    public static byte[] Unpack(string? encoding, ReadOnlyMemory<byte> body)
    {
        using var packed = new MemoryStream(body.ToArray());
        using Stream stream = encoding switch
        {
            null or "" or "identity" => packed,
            "zstd" or "zstd1" => new ZstdSharp.DecompressionStream(packed),
            "deflate" => new ZLibStream(packed, CompressionMode.Decompress),
            "gzip" => new GZipStream(packed, CompressionMode.Decompress),
            _ => throw new FormatException($"Content-Encoding {encoding}"),
        };
        using var raw = new MemoryStream();
        stream.CopyTo(raw);
        return raw.ToArray();
    }

    /// <summary>Looks at one request. The same bytes again, however compressed, are a resend and no error.</summary>
    public void Look(string path, string? encoding, ReadOnlyMemory<byte> body, DateTimeOffset received)
    {
        lock (_lock)
        {
            try
            {
                var raw = Unpack(encoding, body);
                switch (path)
                {
                    case "/api/v2/series":
                        Sizes(path, body.Length, raw.Length, MaxSeriesWire, MaxSeriesRaw);
                        foreach (var series in WireReader.ReadPayload(raw))
                        {
                            Look(series, raw, received);
                        }

                        break;
                    case "/api/v1/distribution_points":
                        Sizes(path, body.Length, raw.Length, MaxDistributionWire, MaxDistributionRaw);
                        foreach (var series in ReadDistributions(raw))
                        {
                            Look(series, raw, received);
                        }

                        break;
                    case "/api/v1/events":
                        LookAtEvent(raw, received);
                        break;
                    case "/api/v2/logs":
                        _logs.Look(raw, received);
                        break;
                    case "/v1/traces":
                        _spans.Look(raw, received);
                        break;
                    case "/api/v1/validate":
                        break;
                    default:
                        _errors.Add($"an unknown path: {path}");
                        break;
                }
            }
            catch (Exception error)
                when (error is FormatException or JsonException or InvalidDataException or IOException)
            {
                _errors.Add($"{path}: {error.Message}");
            }
        }
    }

    /// <summary>The series of a <c>/api/v1/distribution_points</c> body; one point for each value.</summary>
    public static List<ReadSeries> ReadDistributions(byte[] raw)
    {
        using var json = JsonDocument.Parse(raw);
        var all = new List<ReadSeries>();
        foreach (var series in json.RootElement.GetProperty("series").EnumerateArray())
        {
            var points = series
                .GetProperty("points")
                .EnumerateArray()
                .SelectMany(point =>
                    point[1].EnumerateArray().Select(value => new ReadPoint(value.GetDouble(), point[0].GetInt64()))
                );
            var tags = series.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!);
            all.Add(new ReadSeries(series.GetProperty("metric").GetString()!, [.. tags], [.. points], 0, null, 0));
        }
        return all;
    }

    private void Sizes(string path, int wire, int raw, int maxWire, int maxRaw)
    {
        Require(wire <= maxWire, $"{path}: {wire} bytes on the wire, the limit is {maxWire}");
        Require(raw <= maxRaw, $"{path}: {raw} bytes unpacked, the limit is {maxRaw}");
    }

    private void Look(ReadSeries series, ReadOnlyMemory<byte> body, DateTimeOffset received)
    {
        Require(MetricName().IsMatch(series.Metric), $"metric name {series.Metric}");
        Require(series.Points.Count > 0, $"{series.Key} has no points");
        Require(series.Type is 0 || series.Points.Count == 1, $"{series.Key} has {series.Points.Count} points");
        Require(series.Type is 0 or 3 == (series.Interval == 0), $"{series.Key}: interval {series.Interval}");
        Require(series.Tags.Distinct().Count() == series.Tags.Count, $"{series.Key} has a tag twice");
        foreach (var tag in series.Tags)
        {
            LookAtTag(tag);
        }

        Require(
            _types.TryAdd(series.Metric, series.Type) || _types[series.Metric] == series.Type,
            $"{series.Metric} changes its type"
        );
        foreach (var point in series.Points)
        {
            Require(double.IsFinite(point.Value), $"{series.Key} has the value {point.Value}");
            LookAtTime(series.Key, point.Second, received, TimeSpan.FromHours(1), TimeSpan.FromMinutes(10));
            if (series.Type != 0)
            {
                LookAtPoint(series, point, body);
            }
        }
    }

    private void LookAtPoint(ReadSeries series, ReadPoint point, ReadOnlyMemory<byte> body)
    {
        if (_points.TryGetValue((series.Key, point.Second), out var before))
        {
            Require(before.Span.SequenceEqual(body.Span), $"{series.Key} has two points at {point.Second}");
            return;
        }
        _points.Add((series.Key, point.Second), body);
    }

    private void LookAtEvent(byte[] raw, DateTimeOffset received)
    {
        using var json = JsonDocument.Parse(raw);
        foreach (var field in json.RootElement.EnumerateObject())
        {
            Require(EventFields.Contains(field.Name), $"an event has the field {field.Name}");
        }

        var title = json.RootElement.GetProperty("title").GetString()!;
        Require(title.Length > 0, "an event has no title");
        Require(json.RootElement.GetProperty("text").GetString()!.Length <= 4000, "an event's text is too long");
        if (json.RootElement.TryGetProperty("aggregation_key", out var key))
        {
            Require(key.GetString()!.Length <= 100, "an event's key is too long");
        }

        foreach (var tag in json.RootElement.GetProperty("tags").EnumerateArray())
        {
            LookAtTag(tag.GetString()!);
        }

        var at = json.RootElement.GetProperty("date_happened").GetInt64();
        LookAtTime(title, at, received, TimeSpan.FromHours(18), TimeSpan.FromHours(2));
    }

    private void LookAtTime(string what, long second, DateTimeOffset received, TimeSpan back, TimeSpan ahead)
    {
        var age = received - DateTimeOffset.FromUnixTimeSeconds(second);
        Require(age <= back + TimeSpan.FromSeconds(1) && -age <= ahead, $"{what}: {second} is {age} old");
    }

    private void LookAtTag(string tag)
    {
        var isNormal =
            tag.Length is > 0 and <= 200
            && char.IsLetter(tag[0])
            && !tag.EndsWith(':')
            && tag.EnumerateRunes()
                .All(r =>
                    (Rune.IsLetterOrDigit(r) && Rune.ToLowerInvariant(r) == r) || "_-:./".Contains((char)r.Value)
                );
        Require(isNormal, $"tag {tag}");
    }

    private void Require(bool holds, string otherwise)
    {
        if (!holds && _errors.Count < 100)
        {
            _errors.Add(otherwise);
        }
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_.]{0,199}\z")]
    private static partial Regex MetricName();
}
