using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Reads the body of <c>POST /api/v2/logs</c> (docs/reference/datadog.md §6): one entry or a list of them, each an object
/// with a message. Whatever else stands in it is an attribute.
/// </summary>
internal sealed class LogJson(DateTimeOffset now, string tagsOfRequest)
{
    public const int MaxEntries = 1_000;
    public const int MaxEntryBytes = 1_000_000;

    private const long NanosecondsPerMillisecond = 1_000_000;

    // What an object takes besides its text, and what a parsed value takes besides its own.
    private const long LogBytes = 400;
    private const long ValueBytes = 12;

    private static readonly JsonElement Nothing = JsonSerializer.SerializeToElement(new JsonObject());

    private static readonly string[] Syslog =
    [
        "emergency",
        "alert",
        "critical",
        "error",
        "warn",
        "notice",
        "info",
        "debug",
    ];

    private readonly List<StoredLog> _logs = [];
    private readonly List<DroppedItem> _dropped = [];

    /// <summary>What is to be listed: entries out of the window, tags that are none, and what was shortened.</summary>
    public IReadOnlyList<DroppedItem> Dropped => _dropped;

    /// <returns>The entries that are kept.</returns>
    /// <exception cref="ApiError">400, naming the place; 413: too many entries.</exception>
    public List<StoredLog> Read(ReadOnlyMemory<byte> body) =>
        JsonShape.Read(
            body,
            root =>
            {
                if (root.ValueKind != JsonValueKind.Array)
                {
                    ReadEntry(root, "log");
                    return _logs;
                }
                if (root.GetArrayLength() > MaxEntries)
                {
                    throw ApiError.TooMany("entries", MaxEntries);
                }
                var index = 0;
                foreach (var entry in root.EnumerateArray())
                {
                    ReadEntry(entry, $"log[{index++}]");
                }
                return _logs;
            }
        );

    private void ReadEntry(JsonElement entry, string path)
    {
        JsonShape.Expect(entry, JsonValueKind.Object, path, "an object");
        var message = JsonShape.RequiredText(entry, LogFields.Message, path);
        var tags = JsonShape.OptionalText(entry, LogFields.Tags, path) ?? "";
        var source = JsonShape.OptionalText(entry, LogFields.Source, path);
        var values = CountValues(entry);
        var time = TimeOf(entry);
        if (time < now.ToUnixTimeMilliseconds() - (TimeWindow.EventPast * 1_000))
        {
            Drop(DropReason.TooOld, $"more than 18 h in the past: {message}", time);
            return;
        }
        if (time > now.ToUnixTimeMilliseconds() + (TimeWindow.EventFuture * 1_000))
        {
            Drop(DropReason.TooNew, $"more than 2 h ahead: {message}", time);
            return;
        }
        var kept = entry.Clone();
        var bytes = JsonMarshal.GetRawUtf8Value(entry).Length;
        if (bytes > MaxEntryBytes)
        {
            Drop(DropReason.LogTooLong, $"{bytes} bytes: {message}", time);
            message = message.Truncate(MaxEntryBytes);
            (kept, values, bytes) = (Nothing, 1, message.Length);
        }
        _logs.Add(
            new StoredLog
            {
                Time = time * NanosecondsPerMillisecond,
                Message = message,
                Status = StatusOf(LogFields.First(entry, LogFields.Status)),
                Service = TextOf(LogFields.First(entry, LogFields.Service)),
                Host = TextOf(LogFields.First(entry, LogFields.Host)),
                Tags = TagsOf($"{tags},{tagsOfRequest}", source, time),
                Entry = kept,
                Bytes = LogBytes + (2L * (message.Length + tags.Length)) + bytes + (ValueBytes * values),
            }
        );
    }

    // A string that is no Unicode text shows when it is asked for, and nobody may be told of it later than now.
    private static long CountValues(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                return 1
                    + element
                        .EnumerateObject()
                        .Sum(property => property.Name.Length > 0 ? 1 + CountValues(property.Value) : 1);
            case JsonValueKind.Array:
                return 1 + element.EnumerateArray().Sum(CountValues);
            case JsonValueKind.String:
                _ = element.GetString();
                return 1;
            default:
                return 1;
        }
    }

    /// <summary>Milliseconds since 1970: as the entry says, or now when it says nothing that is a time.</summary>
    private long TimeOf(JsonElement entry)
    {
        if (LogFields.First(entry, LogFields.Time) is { } value)
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number))
            {
                return number;
            }
            if (value.ValueKind == JsonValueKind.String)
            {
                var text = value.GetString()!;
                if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number))
                {
                    return number;
                }
                if (
                    DateTimeOffset.TryParse(
                        text,
                        CultureInfo.InvariantCulture,
                        DateTimeStyles.AssumeUniversal,
                        out var time
                    )
                )
                {
                    return time.ToUnixTimeMilliseconds();
                }
            }
        }
        return now.ToUnixTimeMilliseconds();
    }

    /// <summary>One of Datadog's, by the beginning of what was sent, or by syslog's numbers.</summary>
    private static string StatusOf(JsonElement? value)
    {
        var text = TextOf(value).ToLowerInvariant();
        if (text.Length == 1 && char.IsAsciiDigit(text[0]))
        {
            return text[0] <= '7' ? Syslog[text[0] - '0'] : "info";
        }
        return text switch
        {
            ['e', 'm', 'e', 'r', 'g', ..] or ['f', ..] => "emergency",
            ['a', ..] => "alert",
            ['c', ..] => "critical",
            ['e', ..] => "error",
            ['w', ..] => "warn",
            ['n', ..] => "notice",
            ['d', ..] or ['t', ..] or ['v', ..] => "debug",
            ['o', ..] or ['s', ..] => "ok",
            _ => "info",
        };
    }

    private List<string> TagsOf(string sent, string? source, long time)
    {
        var tags = new List<string>();
        foreach (var raw in sent.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (NameRules.Tag(raw, out var reason) is { } tag)
            {
                tags.Add(tag);
            }
            else
            {
                Drop(reason, raw, time);
            }
        }
        if (!string.IsNullOrEmpty(source) && NameRules.Tag("source", source) is { } origin)
        {
            tags.Add(origin);
        }
        return tags;
    }

    private static string TextOf(JsonElement? value) =>
        value?.ValueKind switch
        {
            JsonValueKind.String => value.Value.GetString()!,
            JsonValueKind.Number => value.Value.GetRawText(),
            _ => "",
        };

    private void Drop(DropReason reason, string detail, long milliseconds) =>
        _dropped.Add(
            new DroppedItem(now, reason, "log", detail.Truncate(NameRules.MaxLength), Timestamp: milliseconds / 1_000)
        );
}
