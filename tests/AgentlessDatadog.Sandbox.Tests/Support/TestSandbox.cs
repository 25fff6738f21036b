using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace AgentlessDatadog.Sandbox.Tests.Support;

/// <summary>A sandbox on a free loopback port with a clock of its own, and a client with valid keys.</summary>
internal sealed class TestSandbox : IAsyncDisposable
{
    private readonly SandboxServer _server;
    private readonly TimeProvider _clock;

    private TestSandbox(SandboxServer server, TimeProvider clock)
    {
        _server = server;
        _clock = clock;
        Client = TestRun.NewClient(server.Addresses[0]);
        Client.DefaultRequestHeaders.Add("DD-API-KEY", Secret.ApiKey);
        Client.DefaultRequestHeaders.Add("DD-APPLICATION-KEY", Secret.AppKey);
    }

    /// <summary>The clock of one that has its own.</summary>
    public FakeTimeProvider Time => (FakeTimeProvider)_clock;

    public HttpClient Client { get; }

    public Uri Address => _server.Addresses[0];

    /// <summary>POSIX seconds.</summary>
    public long Now => _clock.GetUtcNow().ToUnixTimeSeconds();

    public static Task<TestSandbox> StartAsync(Func<SandboxOptions, SandboxOptions>? change = null) =>
        StartAsync(new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero)), change);

    /// <summary>For a sender that knows no clock but the machine's.</summary>
    public static Task<TestSandbox> StartOnThisClockAsync() => StartAsync(TimeProvider.System, null);

    private static async Task<TestSandbox> StartAsync(TimeProvider clock, Func<SandboxOptions, SandboxOptions>? change)
    {
        var options = new SandboxOptions { Urls = ["http://127.0.0.1:0"] };
        var server = await SandboxServer.StartAsync(
            change is null ? options : change(options),
            clock,
            new SearchedLog().Factory,
            TestContext.Current.CancellationToken
        );
        return new TestSandbox(server, clock);
    }

    public async Task<Reply> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
            return new Reply(
                response.StatusCode,
                await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
                response.Content.Headers.ContentType?.ToString(),
                response.Headers
            );
        }
    }

    public Task<Reply> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<Reply> DeleteAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Delete, path));

    public Task<Reply> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);

    public Task<Reply> SendAsync(HttpMethod method, string path, string body) =>
        SendAsync(
            new HttpRequestMessage(method, path)
            {
                Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json")),
            }
        );

    public Task<Reply> PostAsync(
        string path,
        byte[] body,
        string mediaType = "application/json",
        string? encoding = null
    )
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }
        return SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = content });
    }

    public Task<Reply> PostAsync(string path, string body, string mediaType = "application/json") =>
        PostAsync(path, Encoding.UTF8.GetBytes(body), mediaType);

    public Task<Reply> PostV1Async(string series) => PostAsync("/api/v1/series", $$"""{"series":[{{series}}]}""");

    public Task<Reply> PostV2Async(string series) => PostAsync("/api/v2/series", $$"""{"series":[{{series}}]}""");

    /// <summary>One point of one series, at an offset to now in seconds.</summary>
    public Task<Reply> PutPointAsync(string metric, int type, double value, long offset = 0, params string[] tags) =>
        PostV2Async(
            $$"""
            {"metric":{{JsonSerializer.Serialize(metric)}},"type":{{type}},"tags":{{JsonSerializer.Serialize(tags)}},
             "points":[{"timestamp":{{Now + offset}},"value":{{JsonSerializer.Serialize(value)}}}]}
            """
        );

    public Task<Reply> PutSamplesAsync(string metric, double[] values, params string[] tags) =>
        PostAsync(
            "/api/v1/distribution_points",
            $$"""
            {"series":[{"metric":"{{metric}}","tags":{{JsonSerializer.Serialize(tags)}},
             "points":[[{{Now}},{{JsonSerializer.Serialize(values)}}]]}]}
            """
        );

    /// <summary>Spans as protobuf, their metrics asked for or not.</summary>
    public Task<Reply> PostSpansAsync(byte[] body, bool computeStats = true, string? encoding = null)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/x-protobuf");
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces") { Content = content };
        if (computeStats)
        {
            request.Headers.Add("compute_stats", "true");
        }
        return SendAsync(request);
    }

    /// <summary>The attributes of what a search finds, oldest first.</summary>
    public async Task<JsonElement[]> SearchAsync(string what, string query)
    {
        var reply = await GetAsync(
            $"/api/v2/{what}/events?filter[query]={Uri.EscapeDataString(query)}&filter[from]=now-1d&filter[to]=now%2B3h"
                + "&sort=timestamp&page[limit]=1000"
        );
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
        return [.. reply.Json.GetProperty("data").EnumerateArray().Select(item => item.GetProperty("attributes"))];
    }

    public Task<Reply> AskAsync(string query, long? from = null, long? to = null) =>
        GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}&from={from ?? Now - 3600}&to={to ?? Now + 600}");

    /// <summary>Group to values, in order of time; the group is its tags joined by commas.</summary>
    public async Task<Dictionary<string, double[]>> ValuesAsync(string query, long? from = null, long? to = null)
    {
        var reply = await AskAsync(query, from, to);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
        return reply
            .Json.GetProperty("series")
            .EnumerateArray()
            .ToDictionary(
                series =>
                    string.Join(',', series.GetProperty("tag_set").EnumerateArray().Select(tag => tag.GetString())),
                series =>
                    series.GetProperty("pointlist").EnumerateArray().Select(point => point[1].GetDouble()).ToArray()
            );
    }

    /// <summary>The one value of a query over everything; null when there is none.</summary>
    public async Task<double?> ValueAsync(string query)
    {
        var values = await ValuesAsync(query);
        return values.Count == 0 ? null : values.ShouldHaveSingleItem().Value.ShouldHaveSingleItem();
    }

    /// <summary>Reasons with their totals.</summary>
    public async Task<Dictionary<string, int>> DroppedAsync() =>
        (await GetAsync("/sandbox/dropped"))
            .Json.GetProperty("by_reason")
            .EnumerateObject()
            .ToDictionary(reason => reason.Name, reason => reason.Value.GetInt32());

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
    }
}

/// <summary>What came back.</summary>
internal sealed record Reply(HttpStatusCode Status, string Text, string? ContentType, HttpResponseHeaders Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public string Error => Json.GetProperty("errors")[0].GetString()!;
}
