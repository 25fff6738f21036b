using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A plugin may listen to the log of the host and of the other plugins.</summary>
public sealed class LogListenerTests : IDisposable
{
    private readonly LogListeners _listeners = new();

    public void Dispose() => _listeners.Dispose();

    [Fact]
    public void AListenerHearsEachLogByItsCategoryUntilItLeaves()
    {
        using var heard = new Heard();
        var listening = _listeners.Add(heard);
        _listeners.CreateLogger("host").LogInformation("One {Number}", 1);
        _listeners.CreateLogger("plugin").LogWarning("Two");
        listening.Dispose();
        _listeners.CreateLogger("host").LogInformation("Three");
        heard.Lines.ShouldBe(["host: One 1", "plugin: Two"]);
    }

    [Fact]
    public void AListenerThatThrowsCostsNeitherWhoeverLogsNorTheOthers()
    {
        using var throws = new Heard { Throws = true };
        using var heard = new Heard();
        _listeners.Add(throws);
        _listeners.Add(heard);
        _listeners.CreateLogger("host").LogInformation("One");
        heard.Lines.ShouldBe(["host: One"]);
    }

    private sealed class Heard : ILoggerProvider
    {
        public List<string> Lines { get; } = [];

        public bool Throws { get; init; }

        public ILogger CreateLogger(string categoryName) =>
            Throws ? throw new InvalidOperationException("It cannot listen.") : new Line(categoryName, Lines);

        public void Dispose() { }

        private sealed class Line(string category, List<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel,
                EventId eventId,
                TState state,
                Exception? exception,
                Func<TState, Exception?, string> formatter
            ) => lines.Add($"{category}: {formatter(state, exception)}");
        }
    }
}
