using System.IO.Compression;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Commands;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What goes into a bug report: enough, and no secret, wherever one stood.</summary>
public sealed class FlareTests
{
    private const string Foreign = "0123456789abcdef0123456789ABCDEF";
    private const string Token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLWl0";

    [Fact]
    public async Task AFlareHoldsStatusConfigLogsAndVersionsAndNoSecretThatWasPlantedAnywhere()
    {
        var (data, logs) = (TestRun.NewFolder(), TestRun.NewFolder());
        var keyFile = Path.Combine(TestRun.NewGivenFolder(), "key");
        await File.WriteAllTextAsync(keyFile, $"{Secret.AppKey}\n", TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string>
        {
            ["LOGS_DIRECTORY"] = logs,
            ["DD_API_KEY"] = Secret.ApiKey,
            ["DD_APP_KEY_FILE"] = keyFile,
            ["DB_PASSWORD"] = Secret.ReaderPassword,
            ["NATS_URL"] = $"nats://ear:{Secret.NatsPassword}@127.0.0.1:1",
            ["JWT_SECRET"] = Secret.JwtSecret,
            ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret,
            ["HTTPS_PROXY"] = $"http://ada:{Secret.ProxyPassword}@127.0.0.1:1",
        };
        await using var host = HostProcess.Start(HostProcess.Arguments(data), environment);
        await host.SaysAsync("Sign in");
        var token = await HostProcess.TokenAsync(data);
        using var http = TestRun.NewClient(host.Address);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var put = await http.PutAsync(
            "api/plugins/echo/config",
            TestHost.Json($$"""{"key":"{{Secret.OfConfig}}"}"""),
            TestContext.Current.CancellationToken
        );
        put.EnsureSuccessStatusCode();
        // As if a plugin had written what it must not.
        string[] written =
        [
            "a line that stays",
            .. Secret.All.Where(secret => secret is not (Secret.OwnerPassword or Secret.Wrong)),
            $"{{\"@m\":\"it said {Secret.ProxyPassword.ToUpperInvariant()}\"}}",
            Foreign,
            $"Authorization: Bearer {token}",
            Token,
            $"postgres://streamspace:{Secret.OwnerPassword}@db/x",
            $"password={Secret.Wrong}",
            $"{{\"apiKey\":\"{Secret.Wrong}\"}}",
            $"http://127.0.0.1/sign-in?code={Secret.Wrong}",
        ];
        var other = Path.Combine(logs, "other.log");
        await File.WriteAllLinesAsync(other, written, TestContext.Current.CancellationToken);

        var archive = Path.Combine(TestRun.NewFolder(), "flare.zip");
        await using var flare = HostProcess.Start(["flare", "--data", data, "--output", archive], environment);
        (await flare.EndAsync()).ShouldBe(0, string.Join('\n', flare.Errors));
        flare.Output.ShouldBe([archive]);
        // It is no find of the search over the whole run.
        File.Delete(other);
        var texts = Read(archive);
        foreach (var (name, text) in texts)
        {
            foreach (var secret in (string[])[.. Secret.All, Foreign, Token, token])
            {
                text.ShouldNotContain(secret, Case.Insensitive, name);
            }
        }
        JsonNode.Parse(texts["status.json"])!["verdict"].ShouldNotBeNull();
        JsonNode.Parse(texts["config.json"])!["streamspace-echo"]!["interval"]!["origin"].ShouldNotBeNull();
        texts["about.txt"].ShouldContain("streamspace-echo 1.2.3");
        texts["about.txt"].ShouldContain("DB_PASSWORD");
        texts["logs/1/other.log"].ShouldContain("a line that stays");
        texts["logs/1/echo.log"].ShouldContain("\"@m\"");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(archive).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task WithoutARunningHostAFlareSaysSoAndHoldsTheRest()
    {
        var archive = Path.Combine(TestRun.NewFolder(), "flare.zip");
        string[] arguments = ["flare", "--data", Path.Combine(TestRun.NewFolder(), "none"), "--output", archive];
        var (output, error) = (new StringWriter(), new StringWriter());
        (await CommandLine.RunAsync(arguments, output, error)).ShouldBe(0, error.ToString());
        Read(archive)["status.json"].ShouldContain("No host runs on");
        (await CommandLine.RunAsync(arguments, output, error)).ShouldBe(1, "what is there is not written over");
        error.ToString().ShouldContain("--output");
    }

    private static Dictionary<string, string> Read(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        return archive.Entries.ToDictionary(
            entry => entry.FullName,
            entry =>
            {
                using var reader = new StreamReader(entry.Open());
                return reader.ReadToEnd();
            }
        );
    }
}
