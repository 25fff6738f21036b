using Microsoft.Extensions.Logging;

namespace Secrets;

/// <summary>A log that a test can read, searched for secrets as it is written; exceptions in full.</summary>
public sealed class SearchedLog : ILogger
{
    private readonly SecretSearch _search;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];

    /// <summary>One that is searched for the secrets of the run.</summary>
    public SearchedLog()
        : this(TestRun.Search) { }

    /// <summary>One that is searched for others.</summary>
    public SearchedLog(SecretSearch search) => _search = search;

    /// <summary>Level, message and exception of all that was logged.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>For what takes a log of each category: all are this one.</summary>
    public ILoggerFactory Factory => new AllInOne(this);

    /// <summary>The lines as one text.</summary>
    public string Text => string.Join('\n', Lines);

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        var line = $"{logLevel}: {formatter(state, exception)} {exception}";
        _search.LookAt("a log", line);
        lock (_lock)
        {
            _lines.Add(line);
        }
    }

    /// <summary>Takes all categories.</summary>
    private sealed class AllInOne(SearchedLog log) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose() { }
    }
}
