using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Signals.Logs;

/// <summary>
/// Encodes an entry for <c>/api/v2/logs</c> (docs/reference/datadog.md §6.1, §6.2): one JSON object. Belongs to one thread.
/// </summary>
internal sealed class LogEncoder
{
    // A character takes six bytes at most: all that is beside the message leaves it some room.
    private const int MaxAttributes = 250;
    private const int MaxCharacters = 80_000;
    private const int MaxName = 100;
    private const int MaxStack = 20_000;

    // Of the message's name and the end of the object.
    private const int Frame = 100;

    private const int Slice = 1024;

    private static readonly FrozenSet<string> OwnNames = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            "message",
            "status",
            "timestamp",
            "service",
            "hostname",
            "ddsource",
            "ddtags",
            "logger.name",
            "dd.trace_id",
            "dd.span_id",
            "error.kind",
            "error.message",
            "error.stack",
            Dropped,
        ]
    );

    private const string Dropped = "attributes.dropped";

    // What Datadog reads needs no escape that only a page would need.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SecretFilter _secrets;
    private readonly AttributeReader _attributes;
    private readonly ArrayBufferWriter<byte> _json = new();
    private readonly TelemetryOptions _options;

    public LogEncoder(TelemetryOptions options)
    {
        _options = options;
        _secrets = new SecretFilter(options.ApiKey);
        _attributes = new AttributeReader(MaxAttributes, MaxCharacters, _secrets);
    }

    public EncodedSignal Encode(LogEntry entry)
    {
        _json.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(_json, Plain))
        {
            writer.WriteStartObject();
            writer.WriteNumber("timestamp"u8, entry.At.ToUnixTimeMilliseconds());
            writer.WriteString("status"u8, StatusOf(entry.Level));
            writer.WriteString("ddsource"u8, Truncation.Cut(entry.Source, MaxName));
            writer.WriteString("service"u8, Truncation.Cut(entry.Service ?? _options.Service, MaxName));
            writer.WriteString("hostname"u8, _options.Host);
            writer.WriteString("ddtags"u8, string.Join(',', TagSet.Of([.. entry.Tags, .. _options.Tags])));
            if (entry.Logger is { } logger)
            {
                writer.WriteString("logger.name"u8, Truncation.Cut(logger, MaxName * 2));
            }

            WriteTrace(writer, entry);
            if (entry.Error is { } error)
            {
                Write(writer, error);
            }

            WriteAttributes(writer, entry.Attributes);
            var message = entry.Message.ToString();
            if (message.Length == 0)
            {
                message = entry.Error?.Message.ToString() ?? "";
            }

            var room = LogRules.MaxBytes - Frame - _json.WrittenCount - writer.BytesPending;
            writer.WriteString("message"u8, Fitting(message, room));
            writer.WriteEndObject();
        }
        return new EncodedSignal(Lane.Logs, entry.At, _json.WrittenSpan.ToArray());
    }

    /// <summary>Datadog's word for a level.</summary>
    public static string StatusOf(LogLevel level) =>
        level switch
        {
            LogLevel.Trace or LogLevel.Debug => "debug",
            LogLevel.Warning => "warn",
            LogLevel.Error => "error",
            LogLevel.Critical => "critical",
            _ => "info",
        };

    private static void WriteTrace(Utf8JsonWriter writer, LogEntry entry)
    {
        if (entry.TraceId == 0)
        {
            return;
        }
        // Both forms are the same where the upper half is zero, and only the hexadecimal one holds the upper half.
        writer.WriteString(
            "dd.trace_id"u8,
            entry.TraceId.ToString(entry.TraceId > ulong.MaxValue ? "x32" : "d", CultureInfo.InvariantCulture)
        );
        if (entry.SpanId != 0)
        {
            writer.WriteString("dd.span_id"u8, entry.SpanId.ToString(CultureInfo.InvariantCulture));
        }
    }

    private void Write(Utf8JsonWriter writer, ErrorDetails error)
    {
        writer.WriteString("error.kind"u8, Truncation.Cut(error.Kind, MaxName * 2));
        writer.WriteString("error.message"u8, Text(error.Message.ToString()));
        if (error.Stack is { } stack)
        {
            writer.WriteString("error.stack"u8, Text(stack));
        }
    }

    private string Text(string text) => _secrets.Filter(Truncation.CutWithMark(text, MaxStack));

    private void WriteAttributes(Utf8JsonWriter writer, IReadOnlyList<KeyValuePair<string, object?>> attributes)
    {
        foreach (var (name, value) in _attributes.Read(attributes))
        {
            // What is Datadog's own name for something else.
            writer.WritePropertyName(OwnNames.Contains(name) ? $"attributes.{name}" : name);
            switch (value)
            {
                case string text:
                    writer.WriteStringValue(text);
                    break;
                case bool yes:
                    writer.WriteBooleanValue(yes);
                    break;
                case long number:
                    writer.WriteNumberValue(number);
                    break;
                default:
                    writer.WriteNumberValue((double)value);
                    break;
            }
        }
        if (_attributes.Dropped > 0)
        {
            writer.WriteNumber(Dropped, _attributes.Dropped);
        }
    }

    // As much of a message as fits when it is escaped.
    private string Fitting(string message, int room)
    {
        // No character takes more than six bytes.
        if (message.Length * 6L <= room)
        {
            return _secrets.Filter(message);
        }

        var mark = Truncation.Mark(message.Length);
        // What is not Unicode in it cannot be measured.
        message = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(message));
        var at = 0;
        room -= mark.Length * 6;
        while (at < message.Length)
        {
            var end = Math.Min(message.Length, at + Slice);
            if (end < message.Length && char.IsHighSurrogate(message[end - 1]))
            {
                end--;
            }

            var bytes = JsonEncodedText.Encode(message.AsSpan(at, end - at), Plain.Encoder).EncodedUtf8Bytes.Length;
            if (bytes > room)
            {
                return _secrets.Filter(message[..at]) + mark;
            }

            room -= bytes;
            at = end;
        }
        return _secrets.Filter(message);
    }
}
