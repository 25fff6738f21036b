using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>A whole host in this process: real Kestrel on a free port, a data folder that goes with it.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly RunningHost _host;
    private readonly HttpClientHandler _handler = new() { AllowAutoRedirect = false, UseCookies = false };

    private TestHost(RunningHost host, HostSettings settings, StringWriter console, TimeProvider clock)
    {
        (_host, Settings, Console) = (host, settings, console);
        Begun = clock.GetUtcNow();
        Client = TestRun.NewClient(host.Address, _handler);
        _clock = clock;
        Tokens = AccessTokens.Of(settings.Environment, settings.DataFolder, clock);
        Admin = Tokens.Issue(Roles.Admin, TimeSpan.FromHours(1));
        TestRun.Search.Add(Admin);
    }

    private readonly TimeProvider _clock;

    /// <summary>The folder with the built test plugin.</summary>
    public static string EchoFolder { get; } = Path.Combine(AppContext.BaseDirectory, "plugins");

    public HostSettings Settings { get; }

    /// <summary>When it had started, by its clock: a time that events may have.</summary>
    public DateTimeOffset Begun { get; }
    public StringWriter Console { get; }
    public HttpClient Client { get; }
    public AccessTokens Tokens { get; }
    public string Admin { get; }

    /// <summary>What the host and its plugins log.</summary>
    public required SearchedLog Log { get; init; }

    public Uri SignInLink => _host.SignInLink;

    /// <summary>Settings of a host that has everything to itself.</summary>
    public static HostSettings NewSettings()
    {
        var folder = TestRun.NewFolder();
        return new HostSettings
        {
            Urls = ["http://127.0.0.1:0"],
            SandboxUrls = [],
            DataFolder = Path.Combine(folder, "data"),
            PluginsFolder = EchoFolder,
            LogFolder = Path.Combine(folder, "log"),
            Environment = new Dictionary<string, string>(),
        };
    }

    public static async Task<TestHost> StartAsync(HostSettings? settings = null, TimeProvider? clock = null)
    {
        settings ??= NewSettings();
        clock ??= TimeProvider.System;
        TestRun.Search.Add(settings.Environment);
        var console = new StringWriter();
        var log = new SearchedLog();
        void Hear(ILoggingBuilder logging) => logging.AddProvider(new SearchedProvider(log));
        var host = new RunningHost(settings, clock, () => 0.5, new StartupConsole(console, clock))
        {
            Log = Hear,
            PluginLog = Hear,
        };
        try
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        return new TestHost(host, settings, console, clock) { Log = log };
    }

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? token = null,
        HttpContent? body = null,
        string? cookie = null
    )
    {
        var request = new HttpRequestMessage(method, path) { Content = body };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }
        return Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, path, Admin);

    public async Task<JsonObject> ReadAsync(string path) => await BodyAsync(await GetAsync(path));

    public Task<HttpResponseMessage> PutConfigAsync(string json)
    {
        TestRun.Search.AddFrom(json);
        return SendAsync(HttpMethod.Put, "api/plugins/echo/config", Admin, Json(json));
    }

    public static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    public static async Task<JsonObject> BodyAsync(HttpResponseMessage response) =>
        (JsonObject)JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;

    /// <summary>Asks until <paramref name="is"/> holds.</summary>
    public async Task<JsonObject> UntilAsync(string path, Func<JsonObject, bool> @is)
    {
        JsonObject? document = null;
        await Patience.Until(async () => @is(document = await ReadAsync(path)), () => $"{document}");
        return document!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _handler.Dispose();
        var ending = _host.DisposeAsync().AsTask();
        // The end waits by the clock that the test moved until now.
        if (_clock is FakeTimeProvider clock)
        {
            await clock.AdvanceUntilAsync(ending);
        }
        await ending;
        TestRun.Search.LookAt("what the host printed", Console.ToString());
    }

    // What would be on the console is searched like it.
    private sealed class SearchedProvider(SearchedLog log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose() { }
    }
}
