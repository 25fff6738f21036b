using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace StreamSpace.PluginHost.Startup;

/// <summary>How <see cref="BriefConsole"/> writes.</summary>
internal sealed class BriefConsoleOptions : ConsoleFormatterOptions
{
    /// <summary>Whether an exception is written whole; otherwise by its type and message, for a log file holds the rest.</summary>
    public bool WholeExceptions { get; set; }

    /// <summary>Says when it was.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;
}

/// <summary>What is logged, on the console: one line with its time (UTC) that cannot act on a terminal.</summary>
internal sealed class BriefConsole(IOptions<BriefConsoleOptions> options) : ConsoleFormatter(Brief)
{
    private const string Brief = "brief";

    /// <param name="logging">What logs.</param>
    /// <param name="clock">Says when it was.</param>
    /// <param name="wholeExceptions">For what has no log file of its own.</param>
    public static void Add(ILoggingBuilder logging, TimeProvider clock, bool wholeExceptions = false) =>
        logging
            .AddConsole(console => console.FormatterName = Brief)
            .AddConsoleFormatter<BriefConsole, BriefConsoleOptions>(brief =>
                (brief.WholeExceptions, brief.Clock) = (wholeExceptions, clock)
            )
            .AddFilter<ConsoleLoggerProvider>(level => level >= LogLevel.Warning);

    public override void Write<TState>(
        in LogEntry<TState> logEntry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        var level = logEntry.LogLevel is LogLevel.Warning ? "warn" : "fail";
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var why = logEntry.Exception switch
        {
            null => "",
            { } e when options.Value.WholeExceptions => $" {e}",
            { } e => $" {e.GetType().Name}: {e.Message}",
        };
        textWriter.WriteLine(
            OneLine.Of(
                $"{options.Value.Clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {level}: {logEntry.Category} {text}{why}"
            )
        );
    }
}
