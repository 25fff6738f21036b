using System.Net;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

// Signals and modes of files are asked for in the way of Unix.
[UnsupportedOSPlatform("windows")]
public sealed class ProcessTests
{
    [Fact]
    public async Task ItSaysWhatItDoesAndEndsInOrderOnASignal()
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        await using var host = await HostProcess.ServeAsync(data);
        host.Output.ShouldContain($"Data folder: {data}");
        host.Output.ShouldContain("Plugin streamspace-echo 1.2.3: running");
        host.Output.ShouldContain(line => line.StartsWith("Attached to: The demo", StringComparison.Ordinal));
        host.Output.ShouldContain(line => line.StartsWith("Serving on http://127.0.0.1:", StringComparison.Ordinal));
        File.GetUnixFileMode(data).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in Directory.EnumerateFiles(data))
        {
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }

        host.Signal("TERM");
        (await host.EndAsync()).ShouldBe(0);
        File.Exists(Path.Combine(data, "streamspace-echo", "unloaded")).ShouldBeTrue();
        host.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task ThePluginsLogLiesWhereSystemdSays()
    {
        var logs = TestRun.NewFolder();
        var arguments = HostProcess.Arguments(Path.Combine(TestRun.NewFolder(), "data"));
        // As of a unit with several of them.
        var environment = new Dictionary<string, string> { ["LOGS_DIRECTORY"] = $"{logs}:/nowhere" };
        await using var host = HostProcess.Start(arguments, environment);
        (await host.SaysAsync("Log: ")).ShouldEndWith($"Log: {logs}/echo.log");
        File.Exists(Path.Combine(logs, "echo.log")).ShouldBeTrue();
    }

    [Fact]
    public async Task AVariableThatHoldsNothingIsNotSetAndQuotationMarksAreNamed()
    {
        // Blank, the first would end the start, the second name a source, the third a cluster.
        var environment = new Dictionary<string, string>
        {
            ["JWT_SECRET"] = "  ",
            ["DB_HOST"] = "\n",
            ["KUBECONFIG"] = " ",
            ["CATALOG_URL"] = "'/nowhere'",
        };
        var data = Path.Combine(TestRun.NewFolder(), "data");
        await using var host = HostProcess.Start(HostProcess.Arguments(data), environment);
        await host.SaysAsync("Sign in");
        host.Output.ShouldContain(line => line.StartsWith("Attached to: The demo", StringComparison.Ordinal));
        host.Output.ShouldContain(line => line.Contains("CATALOG_URL stands in quotation marks"));
    }

    [Fact]
    public async Task AnErrorOfAPluginIsOneLineOnTheConsole()
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        var environment = new Dictionary<string, string> { ["ECHO_LOAD_ERROR"] = "The moon\nis full." };
        await using var host = HostProcess.Start(HostProcess.Arguments(data), environment);
        await host.SaysAsync("Sign in");
        host.Output.ShouldContain(line =>
            line.EndsWith("could not be loaded. InvalidOperationException: The moon is full.", StringComparison.Ordinal)
        );
        host.Output.ShouldAllBe(line => !line.Contains("   at "));
    }

    [Fact]
    public async Task WhatAPluginSaysCannotActOnTheTerminalThatShowsItOrItsLog()
    {
        const string acts = "\u001B[2J\u009B31m\u202Eabc";
        var data = Path.Combine(TestRun.NewFolder(), "data");
        var logs = TestRun.NewFolder();
        var environment = new Dictionary<string, string> { ["ECHO_LOAD_ERROR"] = acts, ["LOGS_DIRECTORY"] = logs };
        await using var host = HostProcess.Start(HostProcess.Arguments(data), environment);
        await host.SaysAsync("Sign in");
        host.Output.ShouldContain(line => line.Contains("\uFFFD[2J\uFFFD31m\uFFFDabc"));
        string.Concat(host.Output.Concat(host.Errors)).IndexOfAny(['\u001B', '\u009B', '\u202E']).ShouldBe(-1);
        host.Signal("TERM");
        await host.EndAsync();
        var log = await File.ReadAllTextAsync(Path.Combine(logs, "echo.log"), TestContext.Current.CancellationToken);
        log.IndexOfAny(['\u001B', '\u009B', '\u202E']).ShouldBe(-1);
        log.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => (string?)JsonNode.Parse(line)!["@x"] ?? "")
            .ShouldContain(exception => exception.Contains(acts));
    }

    [Fact]
    public async Task ATokenIsPrintedAloneAndIsGood()
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        await using var serving = await HostProcess.ServeAsync(data);
        var address = new Uri(serving.Output.Single(l => l.StartsWith("Serving on ", StringComparison.Ordinal))[11..]);
        var token = await HostProcess.TokenAsync(data, "--role", "user", "--days", "2");
        using var client = TestRun.NewClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var read = await client.GetAsync(new Uri(address, "api/status"), TestContext.Current.CancellationToken);
        read.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ASecondProcessWaitsForTheFolderAndTakesItWhenTheFirstEnds()
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        await using var first = await HostProcess.ServeAsync(data);
        await using var second = HostProcess.Start(HostProcess.Arguments(data));
        await second.SaysAsync("waiting up to 10 seconds");
        first.Signal("TERM");
        await second.SaysAsync("Sign in");
    }

    [Theory]
    [InlineData("--urls")]
    [InlineData("--sandbox-urls")]
    public async Task APortInUseEndsItWithOneSentence(string option)
    {
        var (socket, port) = HostProcess.TakePort();
        using var held = socket;
        var arguments = HostProcess.Arguments(Path.Combine(TestRun.NewFolder(), "data")).ToList();
        arguments[arguments.IndexOf(option) + 1] = $"http://127.0.0.1:{port}";
        await using var host = HostProcess.Start(arguments);
        (await host.EndAsync()).ShouldBe(1);
        var sentence = host.Errors.ShouldHaveSingleItem();
        sentence.ShouldContain($"{port}");
        sentence.ShouldContain(option);
        host.Output.ShouldAllBe(line => !line.Contains("Exception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnAddressThatIsNotOursEndsItWithOneSentence()
    {
        var arguments = HostProcess.Arguments(Path.Combine(TestRun.NewFolder(), "data")).ToList();
        // Reserved for documentation: no machine has it.
        arguments[arguments.IndexOf("--urls") + 1] = "http://192.0.2.1:8090";
        await using var host = HostProcess.Start(arguments);
        (await host.EndAsync()).ShouldBe(1);
        host.Errors.ShouldHaveSingleItem().ShouldContain("--urls");
    }

    [Fact]
    public async Task AFolderThatCannotBeWrittenEndsItWithOneSentence()
    {
        var file = Path.Combine(TestRun.NewFolder(), "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        await using var host = HostProcess.Start(HostProcess.Arguments(Path.Combine(file, "data")));
        (await host.EndAsync()).ShouldBe(1);
        host.Errors.ShouldHaveSingleItem().ShouldContain("--data");
    }

    [Fact]
    public async Task AShortSecretEndsItWithOneSentenceThatDoesNotShowIt()
    {
        await using var host = HostProcess.Start(
            HostProcess.Arguments(Path.Combine(TestRun.NewFolder(), "data")),
            new Dictionary<string, string> { ["JWT_SECRET"] = "too-short-a-secret" }
        );
        (await host.EndAsync()).ShouldBe(1);
        var sentence = host.Errors.ShouldHaveSingleItem();
        sentence.ShouldContain("at least 32");
        sentence.ShouldNotContain("too-short-a-secret");
    }

    [Theory]
    [InlineData("--urls", "nonsense")]
    [InlineData("--urls", "")]
    [InlineData("--path-base", "datadog")]
    [InlineData("--ulrs", "http://127.0.0.1:0")]
    public async Task AnOptionThatMakesNoSenseIsRefused(string option, string value)
    {
        await using var host = HostProcess.Start([option, value]);
        (await host.EndAsync()).ShouldNotBe(0);
        host.Errors.ShouldContain(line => line.Contains(option, StringComparison.Ordinal));
    }

    [Fact]
    public async Task HelpNamesEveryOptionAndCommand()
    {
        await using var host = HostProcess.Start(["--help"]);
        (await host.EndAsync()).ShouldBe(0);
        var text = string.Join('\n', host.Output);
        foreach (var word in new[] { "--urls", "--sandbox-urls", "--path-base", "--data", "--plugins", "token" })
        {
            text.ShouldContain(word);
        }
    }

    [Theory]
    [InlineData("whsec_short")]
    [InlineData("  fifteen-bytes-  ")]
    public async Task AWebhookSecretThatCanBeGuessedIsRefusedInOneSentence(string secret)
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        var environment = new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = secret };
        await using var serve = HostProcess.Start(HostProcess.Arguments(data), environment);
        (await serve.EndAsync()).ShouldBe(1);
        var sentence = serve.Errors.ShouldHaveSingleItem();
        sentence.ShouldContain("needs at least 16");
        await using var check = HostProcess.Start(
            ["check", "--data", data, "--plugins", TestHost.EchoFolder],
            environment
        );
        (await check.EndAsync()).ShouldBe(1);
        check.Output.ShouldContain(line => line.StartsWith("FAULT") && line.EndsWith(sentence));
    }
}
