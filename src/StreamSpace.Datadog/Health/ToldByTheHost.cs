using AgentlessDatadog;
using Microsoft.Extensions.Logging;

namespace StreamSpace.Datadog.Health;

/// <summary>Leaves out of a log what the host tells of the plugin's findings, in their words and with what to do.</summary>
internal sealed class ToldByTheHost(ILogger inner) : ILogger
{
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
        if (eventId != TelemetryStatus.WarningEvent)
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
