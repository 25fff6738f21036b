using System.IO.Compression;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>The telemetry library by itself, as somebody meets it who has another program.</summary>
public sealed class LibraryTests
{
    private static string Samples => Path.GetFullPath(Path.Combine(BuiltProgram.SourceFolder, "..", "samples"));

    [Fact]
    public async Task TheProgramOfItsReadmeSendsWhatItSays()
    {
        var readme = await ReadAsync(BuiltProgram.SourceFolder, "AgentlessDatadog", "README.md");
        readme.ShouldContain($"```csharp\n{(await ReadAsync(Samples, "Orders", "Program.cs")).TrimEnd()}\n```");
        await using var server = BuiltProgram.Start("AgentlessDatadog.Sandbox", ["--urls", "http://127.0.0.1:0"]);
        var address = (await server.LineAsync("Sandbox listening on")).Split(' ')[^1];
        using var sandbox = new SandboxClient(new Uri(address));
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);

        await using var orders = BuiltProgram.StartAt(
            Path.Combine(Samples, "Orders", "bin", BuiltProgram.Configuration, "net10.0", "Orders.dll"),
            [address],
            new Dictionary<string, string> { ["DD_API_KEY"] = Secret.ApiKey },
            TestRun.NewFolder()
        );
        (await orders.EndAsync()).ShouldBe(0, orders.Output);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(1);
        var placed = await sandbox.QueryAsync("sum:orders.placed{service:orders,shop:berlin}.as_count()", from, to);
        placed.ShouldHaveSingleItem().Points.Sum(point => point.Value).ShouldBe(1);
        var waiting = await sandbox.QueryAsync("avg:orders.waiting{env:demo}", from, to);
        waiting.ShouldHaveSingleItem().Points.Select(point => point.Value).Distinct().ShouldBe([17]);
        var logs = await sandbox.GetAsync("/api/v2/logs/events?filter[query]=service:orders");
        logs.GetProperty("data")[0]
            .GetProperty("attributes")
            .GetProperty("message")
            .GetString()
            .ShouldBe("Order 4711 was placed.");
    }

    [Fact]
    public async Task ItsPackageHasAReadmeALicenceAndTheDocumentationOfItsTypes()
    {
        var folder = TestRun.NewFolder();
        await BuiltProgram.RunDotnetAsync("pack", "AgentlessDatadog", "--no-build", "--output", folder);

        using var package = await ZipFile.OpenReadAsync(
            Directory.GetFiles(folder, "AgentlessDatadog.*.nupkg").ShouldHaveSingleItem()
        );
        string[] files = ["README.md", "lib/net10.0/AgentlessDatadog.dll", "lib/net10.0/AgentlessDatadog.xml"];
        files.ShouldBeSubsetOf(package.Entries.Select(entry => entry.FullName));
        using var spec = new StreamReader(await package.GetEntry("AgentlessDatadog.nuspec")!.OpenAsync());
        var text = await spec.ReadToEndAsync();
        text.ShouldContain("<license type=\"expression\">MIT</license>");
        text.ShouldContain("<readme>README.md</readme>");
        text.ShouldNotContain("Package Description");
    }

    private static async Task<string> ReadAsync(params string[] path) =>
        (await File.ReadAllTextAsync(Path.Combine(path))).ReplaceLineEndings("\n");
}
