using System.Globalization;
using System.Text;
using System.Text.Json;

namespace AgentlessDatadog.Tests.Support;

/// <summary>Looks at the log entries of a run (docs/reference/datadog.md §6).</summary>
public sealed class LogCheck(Action<bool, string> require, Action<string> lookAtTag)
{
    private static readonly string[] Statuses = ["debug", "info", "warn", "error", "critical"];

    public void Look(byte[] raw, DateTimeOffset received)
    {
        require(raw.Length <= 5_000_000, $"{raw.Length} bytes of logs, the limit is 5 000 000");
        using var json = JsonDocument.Parse(raw);
        var entries = json.RootElement.EnumerateArray().ToList();
        require(entries.Count is > 0 and <= 1_000, $"a request has {entries.Count} log entries");
        foreach (var entry in entries)
        {
            LookAt(entry, received);
        }
    }

    private void LookAt(JsonElement entry, DateTimeOffset received)
    {
        var text = entry.GetRawText();
        require(Encoding.UTF8.GetByteCount(text) <= 1_000_000, $"a log entry has {text.Length} characters");
        var names = entry.EnumerateObject().Select(field => field.Name).ToList();
        require(names.Distinct().Count() == names.Count, "a log entry has a field twice");
        require(names.Count <= 256 + 13, $"a log entry has {names.Count} fields");
        require(entry.GetProperty("message").GetString()!.Length > 0, "a log entry says nothing");
        require(entry.GetProperty("service").GetString()!.Length > 0, "a log entry names no service");
        require(entry.GetProperty("hostname").GetString()!.Length > 0, "a log entry names no host");
        require(Statuses.Contains(entry.GetProperty("status").GetString()), $"status {entry.GetProperty("status")}");
        foreach (var tag in entry.GetProperty("ddtags").GetString()!.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            lookAtTag(tag);
        }

        var at = DateTimeOffset.FromUnixTimeMilliseconds(entry.GetProperty("timestamp").GetInt64());
        require(received - at <= TimeSpan.FromHours(18) + TimeSpan.FromSeconds(1), $"a log entry is of {at}");
        require(at - received <= TimeSpan.FromHours(2), $"a log entry is of {at}");
        foreach (var id in new[] { "dd.trace_id", "dd.span_id" })
        {
            if (entry.TryGetProperty(id, out var value))
            {
                require(IsId(value.GetString()!), $"{id} {value}");
            }
        }
    }

    private static bool IsId(string id) =>
        id.Length == 32
            ? UInt128.TryParse(id, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out _)
            : ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;
}
