using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Tests.Support;

/// <summary>What a host gives, with a clock that a test moves.</summary>
internal sealed class HostStandIn : IPluginContext
{
    public FakeTimeProvider FakeClock { get; init; } = new(new DateTimeOffset(2026, 3, 4, 10, 20, 0, TimeSpan.Zero));

    public PluginManifest Manifest { get; } = Manifests.Ours();

    public string DataFolder { get; init; } = TestRun.NewFolder();

    /// <summary>What was logged.</summary>
    public SearchedLog Log { get; } = new();

    /// <summary>Who listens to the log now.</summary>
    public List<ILoggerProvider> Listeners { get; } = [];

    public ILogger Logger => field ??= new ToldLog(this, "datadog");

    /// <summary>A log of the host's own.</summary>
    public ILogger LoggerOf(string category) => new ToldLog(this, category);

    public IDisposable ListenToLog(ILoggerProvider listener)
    {
        Listeners.Add(listener);
        return new Leaving(() => Listeners.Remove(listener));
    }

    public TimeProvider Clock => FakeClock;

    public Func<double> Random { get; } = () => 0.5;

    public IReadOnlyDictionary<string, string> Environment
    {
        get;
        init => field = EnvironmentVariables.Read(value);
    } = new Dictionary<string, string>();

    public Uri? Sandbox { get; init; }

    public IReadOnlyList<SourceStatus> Sources { get; set; } = [];

    public CancellationToken Ended { get; init; }

    private sealed class ToldLog(HostStandIn host, string category) : ILogger
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
        )
        {
            host.Log.Log(logLevel, eventId, state, exception, formatter);
            foreach (var listener in host.Listeners.ToList())
            {
                listener.CreateLogger(category).Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }

    private sealed class Leaving(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }
}

internal static class Manifests
{
    /// <summary>The manifest that is shipped.</summary>
    public static PluginManifest Ours() =>
        PluginManifest.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "manifest.json")));
}
