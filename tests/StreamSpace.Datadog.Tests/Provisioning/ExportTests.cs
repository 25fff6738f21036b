using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Provisioning;
using Xunit;

namespace StreamSpace.Datadog.Tests.Provisioning;

/// <summary>The assets as files, for whoever brings them to Datadog by other means.</summary>
public sealed class ExportTests
{
    private static readonly string Shipped = Path.Combine(AppContext.BaseDirectory, "deploy", "datadog");

    [Fact]
    public void WhatIsShippedIsWhatTheCatalogueSays()
    {
        var files = Export.Files();
        Directory
            .GetFiles(Shipped, "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Shipped, f))
            .Except(["README.md"])
            .Order(StringComparer.Ordinal)
            .ShouldBe(files.Keys, "Write deploy/datadog anew with the command provision --export deploy/datadog.");
        foreach (var (path, text) in files)
        {
            File.ReadAllText(Path.Combine(Shipped, path))
                .ShouldBe(text, $"Write {path} anew with the command provision --export deploy/datadog.");
        }
    }

    [Fact]
    public async Task TheCommandWritesThemWithoutAHostOrAKey()
    {
        var folder = Path.Combine(TestRun.NewFolder(), "assets-of-ours");
        using var said = new StringWriter();
        (await Export.Command.RunAsync([folder], said, CancellationToken.None)).ShouldBe(0);
        said.ToString().ShouldContain($"{Export.Files().Count} files");
        File.Exists(Path.Combine(folder, "assets", "dashboards", "session_overview.json")).ShouldBeTrue();
        (await Export.Command.RunAsync([], said, CancellationToken.None)).ShouldBe(1);
    }
}
