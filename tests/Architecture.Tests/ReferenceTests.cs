using System.Reflection;
using Shouldly;
using Xunit;

namespace Architecture.Tests;

/// <summary>References point one way only: the table of docs/architecture.md, held.</summary>
public sealed class ReferenceTests
{
    private const string Plugins = "StreamSpace.Plugins";
    private const string Platform = "StreamSpace.Platform";
    private const string Telemetry = "AgentlessDatadog";
    private const string Sandbox = "AgentlessDatadog.Sandbox";
    private const string Plugin = "StreamSpace.Datadog";
    private const string Host = "StreamSpace.PluginHost";

    private static readonly string[] Ours = [Plugins, Platform, Telemetry, Sandbox, Plugin, Host];

    [Theory]
    [InlineData(Plugins)]
    [InlineData(Platform, Plugins)]
    [InlineData(Telemetry)]
    [InlineData(Sandbox)]
    [InlineData(Plugin, Plugins, Telemetry)]
    [InlineData(Host, Plugins, Platform, Sandbox)]
    public void AProjectReferencesOnlyWhatTheHouseAllows(string project, params string[] allowed) =>
        Assembly
            .Load(project)
            .GetReferencedAssemblies()
            .Select(a => a.Name!)
            .Where(Ours.Contains)
            .ShouldBeSubsetOf(allowed);

    [Fact]
    public void TheContractUsesNothingButTheFramework() =>
        Assembly
            .Load(Plugins)
            .GetReferencedAssemblies()
            .Select(a => a.Name!)
            .ShouldAllBe(name => name.StartsWith("System.") || name.StartsWith("Microsoft."));

    [Fact]
    public void TheTelemetryLibraryKnowsNothingOfStreamSpace() =>
        Assembly
            .Load(Telemetry)
            .GetTypes()
            .ShouldAllBe(type => !type.FullName!.Contains("StreamSpace", StringComparison.OrdinalIgnoreCase));
}
