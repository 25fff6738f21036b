using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace StreamSpace.PluginHost;

/// <summary>
/// What a plugin logs, on the console: one line, an exception by its message alone. Where it was thrown is in the plugin's
/// log file.
/// </summary>
internal sealed class BriefConsole() : ConsoleFormatter(Brief)
{
    private const string Brief = "brief";

    public static void Add(ILoggingBuilder logging) =>
        logging
            .AddConsole(console => console.FormatterName = Brief)
            .AddConsoleFormatter<BriefConsole, ConsoleFormatterOptions>();

    public override void Write<TState>(
        in LogEntry<TState> logEntry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        var level = logEntry.LogLevel is LogLevel.Warning ? "warn" : "fail";
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var why = logEntry.Exception is { } e ? $" {e.GetType().Name}: {e.Message}" : "";
        // A plugin may log what came from elsewhere: it must not write lines of its own.
        textWriter.WriteLine($"{level}: {logEntry.Category} {text}{why}".ReplaceLineEndings(" "));
    }
}
