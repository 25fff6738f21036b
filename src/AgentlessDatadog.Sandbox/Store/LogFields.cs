using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>Which keys of a log Datadog reads as what (docs/reference/datadog.md §6.2), the first that is there of each.</summary>
internal static class LogFields
{
    public const string Message = "message";
    public const string Tags = "ddtags";
    public const string Source = "ddsource";

    public static readonly string[] Time =
    [
        "@timestamp",
        "timestamp",
        "_timestamp",
        "Timestamp",
        "eventTime",
        "date",
        "published_date",
        "syslog.timestamp",
    ];

    public static readonly string[] Status = ["status", "severity", "level", "syslog.severity"];
    public static readonly string[] Service = ["service", "syslog.appname", "dd.service"];
    public static readonly string[] Host = ["host", "hostname", "syslog.hostname"];

    private static readonly HashSet<string> Reserved =
    [
        Message,
        Tags,
        Source,
        "timestamp",
        "status",
        "service",
        "host",
        "hostname",
    ];

    /// <summary>True for a key of an entry that is shown beside the attributes, not among them.</summary>
    public static bool IsReserved(string key) => Reserved.Contains(key);

    /// <summary>What is there of some paths, in their order.</summary>
    public static JsonElement? First(JsonElement entry, string[] paths)
    {
        foreach (var path in paths)
        {
            foreach (var value in ValuesAt(entry, path))
            {
                if (value.ValueKind != JsonValueKind.Null)
                {
                    return value;
                }
            }
        }
        return null;
    }

    /// <summary>
    /// What is at a path such as <c>dd.trace_id</c>, which may be one key with dots in it, keys in each other, or both.
    /// </summary>
    public static IEnumerable<JsonElement> ValuesAt(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            yield break;
        }
        if (element.TryGetProperty(path, out var whole))
        {
            yield return whole;
        }
        for (var dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1))
        {
            if (element.TryGetProperty(path.AsSpan(0, dot), out var inner))
            {
                foreach (var value in ValuesAt(inner, path[(dot + 1)..]))
                {
                    yield return value;
                }
            }
        }
    }
}
