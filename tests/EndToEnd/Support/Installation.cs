using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace EndToEnd.Support;

/// <summary>A host with a fresh data folder, and a sandbox: its own, or a process apart that outlives it.</summary>
public sealed class Installation : IAsyncDisposable
{
    private readonly string _data;
    private readonly BuiltProgram? _judge;
    private IReadOnlyDictionary<string, string>? _environment;
    private string[] _options = [];

    private Installation(BuiltProgram? judge, Uri sandbox, string? data = null)
    {
        _data = data ?? TestRun.NewFolder();
        _judge = judge;
        Sandbox = new SandboxClient(sandbox);
        SandboxAddress = sandbox;
        Address = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        Http = TestRun.NewClient(Address);
    }

    public Uri Address { get; }

    public Uri SandboxAddress { get; }

    public SandboxClient Sandbox { get; }

    /// <summary>Signed in as admin.</summary>
    public HttpClient Http { get; }

    public BuiltProgram Host { get; private set; } = null!;

    /// <summary>The host with the sandbox that it brings, as a newcomer starts it.</summary>
    public static async Task<Installation> StartAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        var sandbox = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        var installation = new Installation(null, sandbox);
        await installation.RunHostAsync(["--sandbox-urls", sandbox.ToString()], environment);
        await installation.SignInAsync();
        return installation;
    }

    /// <summary>The host without a sandbox of its own, sending to one in a process apart that keeps every payload.</summary>
    /// <param name="environment">Further variables of the host.</param>
    /// <param name="options">Further options of the host.</param>
    public static async Task<Installation> StartWithJudgeAsync(
        IReadOnlyDictionary<string, string> environment,
        params string[] options
    ) => await StartWithJudgeAsync(environment, null, options);

    /// <inheritdoc cref="StartWithJudgeAsync(IReadOnlyDictionary{string, string}, string[])"/>
    /// <param name="data">The host's data folder, or null for a fresh one.</param>
    public static async Task<Installation> StartWithJudgeAsync(
        IReadOnlyDictionary<string, string> environment,
        string? data,
        string[] options
    )
    {
        var address = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        var judge = BuiltProgram.Start("AgentlessDatadog.Sandbox", ["--urls", address.ToString(), "--keep-payloads"]);
        await judge.LineAsync("http://");
        var installation = new Installation(judge, address, data);
        var with = new Dictionary<string, string>
        {
            ["DD_API_KEY"] = Secret.ApiKey,
            ["DD_APP_KEY"] = Secret.AppKey,
            ["DD_DD_URL"] = address.ToString(),
            ["JWT_SECRET"] = Secret.JwtSecret,
        };
        foreach (var (name, value) in environment)
        {
            with[name] = value;
        }
        await installation.RunHostAsync(["--sandbox-urls", "", .. options], with);
        // By a token of StreamSpace's, which costs no process.
        var claims = Jwt.StreamSpaces("admin");
        var now = TimeProvider.System.GetUtcNow();
        (claims["nbf"], claims["exp"]) = (now.AddDays(-2).ToUnixTimeSeconds(), now.AddDays(2).ToUnixTimeSeconds());
        installation.SignInWith(Jwt.Sign(claims, Encoding.UTF8.GetBytes(Secret.JwtSecret)));
        return installation;
    }

    public async Task<JsonElement> StatusAsync() =>
        await JsonSerializer.DeserializeAsync<JsonElement>(await Http.GetStreamAsync("/api/plugins/datadog/status"));

    /// <summary>Waits until the source of this name is in this state.</summary>
    public Task<string> SourceIsAsync(string name, string state) =>
        Eventually.GetAsync(
            $"source {name} to be {state}",
            async () =>
            {
                var status = await StatusAsync();
                return status
                    .GetProperty("sources")
                    .EnumerateArray()
                    .Where(s => s.GetProperty("name").GetString() == name)
                    .Select(s => s.GetProperty("state").GetString()!)
                    .FirstOrDefault(s => s.Equals(state, StringComparison.OrdinalIgnoreCase));
            }
        );

    /// <summary>Kills the host, as a crash would.</summary>
    public ValueTask KillHostAsync() => Host.DisposeAsync();

    /// <summary>Takes the judge away, so that nobody is at its address.</summary>
    public ValueTask StopJudgeAsync() => _judge!.DisposeAsync();

    /// <summary>Starts the host on what the last one left.</summary>
    public void StartHostAgain() => Host = BuiltProgram.Start("StreamSpace.PluginHost", _options, _environment);

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        if (_judge is not null)
        {
            await _judge.DisposeAsync();
        }
        Http.Dispose();
        Sandbox.Dispose();
    }

    private async Task RunHostAsync(string[] options, IReadOnlyDictionary<string, string>? environment)
    {
        _options = ["--urls", Address.ToString(), "--data", _data, .. options];
        _environment = environment;
        StartHostAgain();
        await Host.LineAsync("sign-in?code=");
    }

    /// <summary>Signs in with a token of its own.</summary>
    public async Task SignInAsync()
    {
        string token;
        await using (
            var command = BuiltProgram.Start("StreamSpace.PluginHost", ["token", "--data", _data], _environment)
        )
        {
            token = await command.LineAsync(".");
        }
        SignInWith(token);
    }

    private void SignInWith(string token)
    {
        // Whoever makes it shows it; nothing else may.
        TestRun.Search.Add(token);
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }
}
