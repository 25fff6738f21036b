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

    public ILogger Logger { get; } = new SearchedLog();

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
}

internal static class Manifests
{
    /// <summary>The manifest that is shipped.</summary>
    public static PluginManifest Ours() =>
        PluginManifest.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "manifest.json")));
}
