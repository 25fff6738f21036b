using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Logging;

/// <summary>
/// Logs what must not become a log entry for Datadog: what goes wrong with sending log entries would make more of them. All
/// other logs have it.
/// </summary>
internal sealed class UnsentLogger(ILogger inner) : ILogger
{
    [ThreadStatic]
    private static int _depth;

    /// <summary>Whether what is being logged on this thread is to be left alone.</summary>
    public static bool IsLogging => _depth > 0;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        _depth++;
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        finally
        {
            _depth--;
        }
    }
}
