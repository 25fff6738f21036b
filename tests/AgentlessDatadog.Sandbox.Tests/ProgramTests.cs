using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class ProgramTests
{
    [Fact]
    public async Task ItListensAndSaysWhere()
    {
        using var process = Start("--urls", "http://127.0.0.1:0", "--keys", Secret.ApiKey);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            line.ShouldNotBeNull().ShouldStartWith("Sandbox listening on http://127.0.0.1:");
            using var client = TestRun.NewClient();

            var health = await client.GetStringAsync(
                new Uri(line.Split(' ')[^1] + "healthz"),
                TestContext.Current.CancellationToken
            );

            health.ShouldBe("""{"status":"ok"}""");
        }
        finally
        {
            process.Kill();
            Look(await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
            Look(await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task BeyondThisMachineItPrintsATokenThatOpensIt()
    {
        using var process = Start("--urls", "http://0.0.0.0:0");
        try
        {
            var listening = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            var token = (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!.Split(' ')[
                ^1
            ];
            using var client = TestRun.NewClient(
                new Uri($"http://127.0.0.1:{new Uri(listening!.Split(' ')[^1]).Port}")
            );
            (await client.GetAsync("/", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(
                HttpStatusCode.Unauthorized
            );
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            (await client.GetAsync("/", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public async Task APortInUseEndsItWithOneSentenceThatSaysWhatToDo()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var url = $"http://127.0.0.1:{sandbox.Address.Port}";

        var (code, _, error) = await RunAsync("--urls", url);

        code.ShouldBe(1);
        error.Trim().Split('\n').ShouldHaveSingleItem().ShouldContain("--urls");
        error.ShouldContain(url);
    }

    [Theory]
    [InlineData("--keys", "short", "Key 1 of 1")]
    [InlineData("--urls", "https://127.0.0.1:0", "not an http:// URL")]
    public async Task ABadOptionEndsItWithOneSentence(string option, string value, string message)
    {
        var (code, _, error) = await RunAsync(option, value);

        code.ShouldBe(1);
        error.Trim().Split('\n').ShouldHaveSingleItem().ShouldContain(message);
    }

    [Fact]
    public async Task HelpNamesEveryOption()
    {
        var (code, output, _) = await RunAsync("--help");

        code.ShouldBe(0);
        output.ShouldContain("--urls");
        output.ShouldContain("--keys");
        output.ShouldContain("--keep-payloads");
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Look(await output);
        Look(await error);
        return (process.ExitCode, await output, await error);
    }

    private static void Look(string printed) => TestRun.Search.LookAt("what the sandbox printed", printed);

    private static Process Start(params string[] arguments)
    {
        var assembly = typeof(SandboxServer).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        TestRun.Hear(start);
        return Process.Start(start)!;
    }
}
