using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Tests.Support;

/// <summary>Keeps all that is logged, exceptions in full.</summary>
public sealed class LogBook : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
}
