using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// JSON lines that may be shown on a terminal: what JSON leaves as it is and acts there (C1 codes, changes of direction) is
/// written as an escape. It reads the same to whoever parses it.
/// </summary>
internal sealed class TerminalSafeJson(ITextFormatter lines) : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        lines.Format(logEvent, line);
        Write(line.ToString(), output);
    }

    /// <summary>Writes a JSON text in that way.</summary>
    public static void Write(string json, TextWriter output)
    {
        Span<char> units = stackalloc char[2];
        foreach (var rune in json.EnumerateRunes())
        {
            var written = units[..rune.EncodeToUtf16(units)];
            if (rune.IsAscii || !OneLine.IsUnseen(rune))
            {
                output.Write(written);
                continue;
            }
            foreach (var unit in written)
            {
                output.Write($"\\u{(int)unit:x4}");
            }
        }
    }
}
