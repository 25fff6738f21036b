using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Commands;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>The commands that ask a running host, as an operator types them.</summary>
public sealed class CommandTests
{
    [Fact]
    public async Task TheStatusBeginsWithTheVerdictAndItsExitCodeIsTheVerdict()
    {
        await using var host = await TestHost.StartAsync();
        var (code, lines, errors) = await RunAsync("status", "--data", host.Settings.DataFolder);
        errors.ShouldBeEmpty();
        code.ShouldBe(0);
        lines[0].ShouldStartWith("ok ");
        lines.ShouldContain(line => line.StartsWith("source ") && line.Contains("demo up"));

        await host.SendAsync(HttpMethod.Post, "api/plugins/streamspace-echo/disable", host.Admin);
        (code, lines, _) = await RunAsync("status", "--data", host.Settings.DataFolder);
        code.ShouldBe(1);
        lines[0].ShouldStartWith("degraded ");
        lines[0].ShouldContain("switched off");
        lines[1].ShouldContain("→ ");
    }

    [Fact]
    public async Task TheStatusAsJsonHoldsTheWholeDocumentOfEachPlugin()
    {
        await using var host = await TestHost.StartAsync();
        var (code, lines, _) = await RunAsync("status", "--json", "--data", host.Settings.DataFolder);
        code.ShouldBe(0);
        var document = JsonNode.Parse(string.Join('\n', lines))!;
        ((string?)document["verdict"]!["state"]).ShouldBe("ok");
        // A word of the plugin's own, which the host's summary does not have.
        document["plugins"]![0]!["snapshots"].ShouldNotBeNull();
    }

    [Fact]
    public async Task ALinkMadeByCommandSignsABrowserInOnceAndTheOneBeforeNoMore()
    {
        await using var host = await TestHost.StartAsync();
        var (code, lines, _) = await RunAsync("sign-in", "--data", host.Settings.DataFolder);
        code.ShouldBe(0);
        var link = new Uri(lines.ShouldHaveSingleItem());
        (await StatusAsync(host.SignInLink)).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync(link)).ShouldBe(HttpStatusCode.Redirect);
        (await StatusAsync(link)).ShouldBe(HttpStatusCode.Forbidden);

        async Task<HttpStatusCode> StatusAsync(Uri at) =>
            (await host.SendAsync(HttpMethod.Get, at.PathAndQuery)).StatusCode;
    }

    [Theory]
    [InlineData(3, "status")]
    [InlineData(1, "sign-in")]
    [InlineData(1, "config")]
    [InlineData(1, "provision")]
    [InlineData(1, "token")]
    public async Task WhereNoHostRanACommandSaysSoInOneLineAndMakesNothing(int expected, string command)
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        var (code, lines, errors) = await RunAsync(command, "--data", data);
        code.ShouldBe(expected);
        lines.ShouldBeEmpty();
        errors.ShouldHaveSingleItem().ShouldContain("--data");
        Directory.Exists(data).ShouldBeFalse();
    }

    [Fact]
    public async Task AHostThatEndedIsNotAskedAndItsTokensAreGoodForTheNext()
    {
        var settings = TestHost.NewSettings();
        await using (await TestHost.StartAsync(settings)) { }
        var (code, _, errors) = await RunAsync("status", "--data", settings.DataFolder);
        code.ShouldBe(3);
        errors.ShouldHaveSingleItem().ShouldContain("No host runs on");
        var (made, lines, _) = await RunAsync("token", "--data", settings.DataFolder);
        made.ShouldBe(0);
        await using var next = await TestHost.StartAsync(settings);
        (await next.SendAsync(HttpMethod.Get, "api/status", lines.ShouldHaveSingleItem())).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );
    }

    [Theory]
    [InlineData("See token --help.", "token", "--days", "0")]
    [InlineData("See token --help.", "token", "--role", "king")]
    [InlineData("Did you mean --days?", "token", "--day", "3")]
    [InlineData("Did you mean status?", "statsu")]
    [InlineData("See --help.", "--urls", "nonsense")]
    public async Task ACommandLineThatMakesNoSenseIsOneLineOnStandardErrorAlone(string says, params string[] arguments)
    {
        var (code, lines, errors) = await RunAsync(arguments);
        code.ShouldBe(64);
        lines.ShouldBeEmpty();
        errors.ShouldHaveSingleItem().ShouldContain(says);
    }

    [Theory]
    [InlineData]
    [InlineData("status")]
    [InlineData("sign-in")]
    [InlineData("token")]
    [InlineData("config")]
    [InlineData("check")]
    [InlineData("flare")]
    [InlineData("completions")]
    [InlineData("provision")]
    [InlineData("register")]
    [InlineData("plugin")]
    public async Task TheHelpOfACommandHasExamplesAndExitCodes(params string[] command)
    {
        var (code, lines, _) = await RunAsync([.. command, "--help"]);
        code.ShouldBe(0);
        lines.ShouldContain("Examples:");
        lines.ShouldContain(line => line.StartsWith("Exit codes"));
        lines.ShouldContain(line => line.Contains("--data"));
    }

    [Fact]
    public async Task TheConfigShowsEachSettingWithItsOriginAndNoSecret()
    {
        await using var host = await TestHost.StartAsync();
        (await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}"}""")).EnsureSuccessStatusCode();
        var (code, lines, _) = await RunAsync("config", "--data", host.Settings.DataFolder);
        code.ShouldBe(0);
        lines[0].ShouldBe("streamspace-echo");
        // The value stands last: a long one pushes nothing off the screen.
        string[][] columns = [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        columns.ShouldContain(column => column.SequenceEqual(new[] { "interval", "saved", "10" }));
        columns.ShouldContain(column => column.SequenceEqual(new[] { "unload", "default", "clean" }));
        lines.ShouldNotContain(line => line.Contains("origins"));
        (_, lines, _) = await RunAsync("config", "--json", "--data", host.Settings.DataFolder);
        var setting = JsonNode.Parse(string.Join('\n', lines))!["streamspace-echo"]!["interval"]!;
        ((string?)setting["origin"]).ShouldBe("saved");
        ((int?)setting["value"]).ShouldBe(10);
    }

    [Fact]
    public async Task ACheckWithWarningsEndsWellUnlessTheyAreDenied()
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        string[] check = ["check", "--json", "--plugins", TestHost.EchoFolder, "--data", data];
        var (code, lines, _) = await RunAsync(check);
        var findings = JsonNode.Parse(string.Join('\n', lines))!;
        ((int?)findings["errors"]).ShouldBe(0, $"{findings}");
        ((int?)findings["warnings"]).ShouldNotBe(0);
        code.ShouldBe(0);
        (await RunAsync([.. check, "--deny-warnings"])).Code.ShouldBe(2);
    }

    [Fact]
    public async Task ACheckMakesNoDataFolderAndSaysWhereNoneCanBeMade()
    {
        var folder = TestRun.NewFolder();
        var data = Path.Combine(folder, "new", "data");
        string[] check = ["check", "--plugins", TestHost.EchoFolder, "--data", data];
        (await RunAsync(check)).Code.ShouldBe(0);
        Directory.GetFileSystemEntries(folder).ShouldBeEmpty();
        // A file where a folder should be.
        await File.WriteAllTextAsync(Path.Combine(folder, "new"), "", TestContext.Current.CancellationToken);
        var (code, lines, _) = await RunAsync(check);
        code.ShouldBe(1);
        lines.ShouldContain(line => line.Contains($"{data} cannot be written"));
    }

    [Fact]
    public async Task WatchingShowsTheStatusAgainEveryTwoSecondsAndGoesOnWhileThereIsNone()
    {
        var clock = new FakeTimeProvider();
        var output = new StringWriter();
        var around = new CommandContext(output, new StringWriter(), Terminal.None, clock, () => 0.5);
        using var stop = new CancellationTokenSource();
        var looks = 0;
        var watching = StatusCommand.WatchAsync(
            () => ++looks == 2 ? throw new StartupException("No host.") : Task.FromResult(new JsonObject()),
            _ => $"look {looks}",
            around,
            stop.Token
        );
        clock.Advance(StatusCommand.Pause);
        await Patience.Until(() => Task.FromResult(looks == 2), () => $"{looks} looks");
        clock.Advance(StatusCommand.Pause);
        await Patience.Until(() => Task.FromResult(looks == 3), () => $"{looks} looks");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(watching);
        Lines(output).ShouldBe(["look 1", "No host.", "look 3"]);
    }

    private static async Task<(int Code, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)> RunAsync(
        params string[] arguments
    )
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(arguments, output, error);
        TestRun.Search.LookAt("what a command printed", $"{output}{error}");
        return (code, Lines(output), Lines(error));
    }

    private static IReadOnlyList<string> Lines(StringWriter text) =>
        text.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
}
