using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// One entry of a log as JSON on one line: time (UTC), level, the message as people read it, so that it can be searched for
/// what they were told, an exception, and the values that are in the message.
/// </summary>
internal sealed class LogLine : ITextFormatter
{
    // Texts without quotation marks, all else as JSON.
    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}", CultureInfo.InvariantCulture);
    private readonly JsonValueFormatter _values = new("$type");

    public void Format(LogEvent logEvent, TextWriter output)
    {
        output.Write($"{{\"@t\":\"{logEvent.Timestamp.UtcDateTime:O}\",\"@l\":\"{logEvent.Level}\",\"@m\":");
        using var message = new StringWriter(CultureInfo.InvariantCulture);
        _message.Format(logEvent, message);
        JsonValueFormatter.WriteQuotedJsonString(message.ToString(), output);
        if (logEvent.Exception is { } error)
        {
            output.Write(",\"@x\":");
            JsonValueFormatter.WriteQuotedJsonString(error.ToString(), output);
        }
        foreach (var (name, value) in logEvent.Properties)
        {
            output.Write(',');
            JsonValueFormatter.WriteQuotedJsonString(name.TrimStart('@'), output);
            output.Write(':');
            _values.Format(value, output);
        }
        output.WriteLine('}');
    }
}
