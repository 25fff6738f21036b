using System.Collections.Concurrent;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// Hands what the host and its plugins log to whoever listens, as it is logged: a provider among those of each log. Nothing
/// is kept of a listener that has gone, so that the code of its plugin can be unloaded.
/// </summary>
internal sealed class LogListeners : ILoggerProvider
{
    private readonly Lock _lock = new();
    private Listener[] _listeners = [];

    /// <summary>Lets another provider listen until the result is disposed.</summary>
    public IDisposable Add(ILoggerProvider provider)
    {
        var listener = new Listener(this, provider);
        lock (_lock)
        {
            _listeners = [.. _listeners, listener];
        }
        return listener;
    }

    public ILogger CreateLogger(string categoryName) => new Forwarder(categoryName, this);

    public void Dispose() { }

    private void Remove(Listener listener)
    {
        lock (_lock)
        {
            _listeners = [.. _listeners.Where(l => l != listener)];
        }
    }

    private sealed class Listener(LogListeners all, ILoggerProvider provider) : IDisposable
    {
        private readonly ConcurrentDictionary<string, ILogger> _loggers = new(StringComparer.Ordinal);

        public ILogger Of(string category) => _loggers.GetOrAdd(category, provider.CreateLogger);

        public void Dispose() => all.Remove(this);
    }

    private sealed class Forwarder(string category, LogListeners all) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => all._listeners.Length > 0;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            foreach (var listener in all._listeners)
            {
                try
                {
                    listener.Of(category).Log(logLevel, eventId, state, exception, formatter);
                }
                // It is a plugin's: whoever logs has nothing to do with it, and it is in the other logs.
                catch (Exception) { }
            }
        }
    }
}
