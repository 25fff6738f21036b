using System.Reflection;
using System.Xml.Linq;
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

    /// <summary>Who builds it for the first time is told how many projects there are, and each once it is built.</summary>
    [Fact]
    public void AFirstBuildNamesEveryProjectThatTheHostNeeds()
    {
        var host = Path.Combine(Repository.Root, "src", Host, $"{Host}.csproj");
        var told = XDocument.Load(Path.Combine(Path.GetDirectoryName(host)!, "FirstBuild.targets"));
        told.Descendants("FirstBuild").Single().Attribute("Include")!.Value.Split(';').ShouldBe(Needed(host), true);

        static IEnumerable<string> Needed(string project) =>
            XDocument
                .Load(project)
                .Descendants()
                .Where(item => item.Name.LocalName is "ProjectReference" or "HostedPlugin")
                .Select(item => item.Attribute("Include")!.Value.Replace('\\', Path.DirectorySeparatorChar))
                .SelectMany(path => Needed(Path.GetFullPath(path, Path.GetDirectoryName(project)!)))
                .Append(Path.GetFileNameWithoutExtension(project))
                .Distinct();
    }
}
