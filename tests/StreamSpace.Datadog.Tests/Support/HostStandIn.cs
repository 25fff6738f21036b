using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Tests.Support;

/// <summary>What a host gives, with a clock that a test moves.</summary>
internal sealed class HostStandIn : IPluginContext
{
    private static readonly DirectoryInfo Root = MakeRoot();

    public FakeTimeProvider FakeClock { get; init; } = new(new DateTimeOffset(2026, 3, 4, 10, 20, 0, TimeSpan.Zero));

    public PluginManifest Manifest { get; } = Manifests.Ours();

    public string DataFolder { get; init; } = Root.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;

    public ILogger Logger => NullLogger.Instance;

    public TimeProvider Clock => FakeClock;

    public Func<double> Chance { get; } = () => 0.5;

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public Uri? Sandbox { get; init; }

    public IReadOnlyList<SourceStatus> Sources => [];

    // Goes when the tests have run.
    private static DirectoryInfo MakeRoot()
    {
        var root = Directory.CreateTempSubdirectory("datadog-tests-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => root.Delete(recursive: true);
        return root;
    }
}

internal static class Manifests
{
    /// <summary>The manifest that is shipped.</summary>
    public static PluginManifest Ours() =>
        PluginManifest.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "manifest.json")));
}
