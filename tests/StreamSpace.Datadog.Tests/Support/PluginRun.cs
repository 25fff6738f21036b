using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog;
using AgentlessDatadog.Sandbox;
using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Tests.Support;

/// <summary>The plugin beside a sandbox of its own, both on one clock that the test moves.</summary>
internal sealed class PluginRun : IAsyncDisposable
{
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _http;
    private bool _unloaded;
    private long _sequence;

    private PluginRun(SandboxServer sandbox, HostStandIn host, Func<ITelemetryStore, ITelemetryStore>? before)
    {
        _sandbox = sandbox;
        Host = host;
        Plugin = NewPlugin(before);
        _http = TestRun.NewClient(sandbox.Addresses[0], new MemoryNetwork());
        _http.DefaultRequestHeaders.Add("DD-API-KEY", Secret.ApiKey);
        _http.DefaultRequestHeaders.Add("DD-APPLICATION-KEY", Secret.AppKey);
    }

    public HostStandIn Host { get; }

    public DatadogPlugin Plugin { get; private set; }

    public DateTimeOffset Now => Host.FakeClock.GetUtcNow();

    /// <summary>One for which neither the disk nor the network takes any of the time that a test lets pass.</summary>
    /// <param name="before">What stands before its store; null for nothing.</param>
    public static DatadogPlugin NewPlugin(Func<ITelemetryStore, ITelemetryStore>? before = null) =>
        new()
        {
            ConnectApi = options => DatadogApi.Connect(options, new MemoryNetwork()),
            MakePipeline = (path, options, context) =>
            {
                var store = new PromptStore(new SqliteStore(path, context.Clock));
                return PipelineOn(before?.Invoke(store) ?? store, options, context);
            },
        };

    /// <summary>A pipeline whose way to Datadog ends in memory.</summary>
    public static TelemetryPipeline PipelineOn(
        ITelemetryStore store,
        TelemetryOptions options,
        IPluginContext context
    ) => new(store, options, context.Clock, context.Random, context.Logger, _ => new MemoryNetwork());

    public static async Task<PluginRun> StartAsync(
        string config = """{"site":"sandbox","metricsInterval":10}""",
        Func<ITelemetryStore, ITelemetryStore>? before = null
    )
    {
        var clock = new HostStandIn().FakeClock;
        var (server, address) = MemoryNetwork.NewServer();
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Urls = [address.ToString()] },
            clock,
            new SearchedLog().Factory,
            server,
            CancellationToken.None
        );
        var run = new PluginRun(sandbox, new HostStandIn { FakeClock = clock, Sandbox = sandbox.Addresses[0] }, before);
        await run.Plugin.LoadAsync(run.Host, CancellationToken.None);
        (await run.ConfigureAsync(config)).ShouldBeEmpty();
        return run;
    }

    /// <summary>Another copy on the same data folder, after one that is unloaded or, as when it was isolated, only disposed of.</summary>
    public async Task ReplaceAsync(bool isUnloaded)
    {
        await (isUnloaded ? Plugin.UnloadAsync(CancellationToken.None) : Plugin.DisposeAsync());
        Plugin = NewPlugin();
        await Plugin.LoadAsync(Host, CancellationToken.None);
        (await ConfigureAsync("""{"site":"sandbox","metricsInterval":10}""")).ShouldBeEmpty();
    }

    public async Task<IReadOnlyList<ConfigError>> ConfigureAsync(string config)
    {
        TestRun.Search.AddFrom(config);
        return await Plugin.ConfigureAsync(
            new PluginSettings((JsonObject)JsonNode.Parse(config)!),
            CancellationToken.None
        );
    }

    /// <summary>Tells what is true of the sessions that the facts are about, and then the facts, as a host does.</summary>
    public async Task HandleAsync(params PlatformFact[] facts)
    {
        var sessions = facts.OfType<SessionFact>().GroupBy(f => f.Session.LifeId).Select(life => life.Last().Session);
        Plugin.Apply(new PlatformState { Sessions = [.. sessions] });
        await HandleAloneAsync(facts);
    }

    /// <summary>Tells facts alone, as at the next places of the host's log.</summary>
    public async Task HandleAloneAsync(params PlatformFact[] facts) =>
        await Plugin.HandleAsync(
            new FactBatch("log", [.. facts.Select(fact => fact with { Sequence = ++_sequence })]),
            CancellationToken.None
        );

    /// <summary>Tells that sessions have changed.</summary>
    public void Apply(params Session[] sessions) => Plugin.Apply(new PlatformState { Sessions = sessions });

    /// <summary>Tells that these sessions are all there are.</summary>
    public void ApplySnapshot(params Session[] sessions) =>
        Plugin.Apply(new PlatformState { IsSnapshot = true, Sessions = sessions });

    /// <summary>Tells what a session uses.</summary>
    public void Measure(Session session, double? cpu, double? memory, double? storage) =>
        Plugin.Apply(new PlatformState { Usages = [new SessionUsage(session.LifeId, Now, cpu, memory, storage)] });

    /// <summary>Lets one flush interval pass, and waits until what it sent is in the sandbox.</summary>
    public async Task FlushAsync(int seconds = 10)
    {
        await ShippedAsync();
        var before = Flushes();
        Host.FakeClock.Advance(TimeSpan.FromSeconds(seconds));
        await Until(() => Flushes() != before && Queued() == 0);
    }

    /// <summary>Waits until the first flush is made.</summary>
    public Task FlushedAsync() => Until(() => Flushes() is not null);

    /// <summary>Waits until nothing is on its way.</summary>
    public Task ShippedAsync() => Until(() => Queued() == 0);

    /// <summary>Unloads, which sends all that is left.</summary>
    public async Task UnloadAsync()
    {
        _unloaded = true;
        await Plugin.UnloadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Enough);
    }

    /// <summary>The last value of each series of <paramref name="query"/>, by its tags joined with commas.</summary>
    public async Task<Dictionary<string, double>> LastAsync(string query) =>
        (await PointsAsync(query)).Where(s => s.Value.Count > 0).ToDictionary(s => s.Key, s => s.Value[^1]);

    /// <summary>The sum of each series of <paramref name="query"/>.</summary>
    public async Task<Dictionary<string, double>> SumAsync(string query) =>
        (await PointsAsync(query)).Where(s => s.Value.Count > 0).ToDictionary(s => s.Key, s => s.Value.Sum());

    public async Task<Dictionary<string, List<double>>> PointsAsync(string query)
    {
        var from = Now.AddMinutes(-90).ToUnixTimeSeconds();
        var to = Now.AddMinutes(5).ToUnixTimeSeconds();
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/api/v1/query?from={from}&to={to}&query={Uri.EscapeDataString(query)}"
        );
        var json = await _http.GetFromJsonAsync<JsonElement>(path);
        return json.GetProperty("series")
            .EnumerateArray()
            .ToDictionary(
                Key,
                s =>
                    s.GetProperty("pointlist")
                        .EnumerateArray()
                        .Where(p => p[1].ValueKind == JsonValueKind.Number)
                        .Select(p => p[1].GetDouble())
                        .ToList()
            );
    }

    public async Task<List<JsonElement>> EventsAsync()
    {
        var start = Now.AddHours(-2).ToUnixTimeSeconds();
        var end = Now.AddHours(1).ToUnixTimeSeconds();
        var json = await _http.GetFromJsonAsync<JsonElement>(
            string.Create(CultureInfo.InvariantCulture, $"/api/v1/events?start={start}&end={end}")
        );
        return [.. json.GetProperty("events").EnumerateArray()];
    }

    /// <summary>The spans that the sandbox has, oldest first.</summary>
    public Task<List<JsonElement>> SpansAsync() => SearchAsync("spans");

    /// <summary>The log entries that the sandbox has, oldest first.</summary>
    public Task<List<JsonElement>> LogsAsync() => SearchAsync("logs");

    /// <summary>Lets the sandbox answer as it is told.</summary>
    public async Task FaultAsync(string json)
    {
        using var body = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        (await _http.PostAsync(new Uri("/sandbox/faults", UriKind.Relative), body)).EnsureSuccessStatusCode();
    }

    /// <summary>Asks the sandbox for something else than to answer.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text);
    }

    public async Task<JsonElement> GetAsync(string path) => await _http.GetFromJsonAsync<JsonElement>(path);

    public async Task PostAsync(string path, string json)
    {
        using var answer = await _http.PostAsync(path, new StringContent(json, null, "application/json"));
        answer.EnsureSuccessStatusCode();
    }

    public async Task DeleteAsync(string path)
    {
        using var answer = await _http.DeleteAsync(path);
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        TestRun.Search.LookAt("the status", Plugin.Status.ToJsonString());
        TestRun.Search.LookAt("the config", Plugin.Config.ToJsonString());
        if (!_unloaded)
        {
            await UnloadAsync();
        }
        _http.Dispose();
        await _sandbox.DisposeAsync();
    }

    private async Task<List<JsonElement>> SearchAsync(string what)
    {
        var path = $"/api/v2/{what}/events?filter[query]=*&filter[from]=now-2d&filter[to]=now%2B1d&sort=timestamp";
        var json = await _http.GetFromJsonAsync<JsonElement>($"{path}&page[limit]=1000");
        return [.. json.GetProperty("data").EnumerateArray().Select(found => found.GetProperty("attributes"))];
    }

    private Task Until(Func<bool> holds) => Patience.Until(holds, () => Plugin.Status.ToJsonString());

    // Datadog answers N/A for a tag that a series does not have.
    private static string Key(JsonElement series) =>
        string.Join(
            ',',
            series
                .GetProperty("tag_set")
                .EnumerateArray()
                .Select(t => t.GetString()!)
                .Where(t => !t.EndsWith(":N/A", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );

    private DateTimeOffset? Flushes() => Plugin.Status["lastFlush"]?["at"]?.GetValue<DateTimeOffset>();

    private int Queued() => Plugin.Status["queue"]?["requests"]?.GetValue<int>() ?? 0;
}
