using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Nats;

/// <summary>Whether StreamSpace's API is connected to NATS, as the HTTP monitor of a real nats-server tells.</summary>
public sealed class NatsMonitorTests : IAsyncDisposable
{
    private readonly NatsEar _ear = new();

    [Fact]
    public async Task AnApiThatHasGivenUpIsToldUntilItIsBack()
    {
        await using var server = await NatsServer.StartMonitoredAsync("127.82.22.1");
        var api = await server.ConnectAsync();
        await _ear.ListenAsync(server.Url);
        await ApiIsAsync(SourceState.Up);

        await api.DisposeAsync();
        await ApiIsAsync(SourceState.Down);
        _ear.Source.Status.State.ShouldBe(SourceState.Up);

        await using var restarted = await server.ConnectAsync();
        await ApiIsAsync(SourceState.Up);
        _ear.Subscriber.Facts.Select(f => f.GetType().Name).ShouldBe(["ApiFailed", "ApiRecovered"]);
    }

    [Fact]
    public async Task AServerThatOthersStandBesideClaimsNothing()
    {
        await using var server = await NatsServer.StartMonitoredAsync(
            "127.82.22.2",
            options: ["--cluster_name", "c", "--cluster", "nats://127.82.22.2:6222"]
        );
        await using var other = await NatsServer.StartAsync(
            jetStream: false,
            ["--cluster_name", "c", "--cluster", "nats://127.82.22.2:-1", "--routes", "nats://127.82.22.2:6222"]
        );
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        // Seen where it is, and not missed where it is not.
        var api = await server.ConnectAsync();
        await ApiIsAsync(SourceState.Up);
        await api.DisposeAsync();
        var until = await LooksAsync(server) + 5;
        while (await LooksAsync(server) < until)
        {
            await _ear.Subscriber.Changed.UntilAsync(() => true, "a look");
        }
        _ear.Subscriber.Facts.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"server_id":"another","total":0,"connections":[]}""")]
    [InlineData("""{"server_id":"ID","total":2,"connections":[{"name":"other","start":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"server_id":"ID","total":0}""")]
    [InlineData("""{"server_id":"ID","total":0,"connections":[],"routes":1}""")]
    [InlineData("<html>a page of somebody else</html>")]
    public async Task WhoeverElseAnswersAtThatPortIsNotBelieved(string answer)
    {
        await using var server = await NatsServer.StartMonitoredAsync("127.82.22.3", monitored: false);
        await using (var client = await server.ConnectAsync())
        {
            answer = answer.Replace("ID", client.ServerInfo!.Id, StringComparison.Ordinal);
        }
        var asked = 0;
        using var stranger = new HttpListener { Prefixes = { "http://127.82.22.3:8222/" } };
        stranger.Start();
        var answering = AnswerAsync();
        await _ear.ListenAsync(server.Url);
        await _ear.Subscriber.Changed.UntilAsync(() => Volatile.Read(ref asked) > 12, "a dozen questions");

        _ear.Api.ShouldBeNull();
        _ear.Source.Status.State.ShouldBe(SourceState.Up);
        await _ear.StopAsync();
        stranger.Stop();
        await answering;

        async Task AnswerAsync()
        {
            try
            {
                while (true)
                {
                    var context = await stranger.GetContextAsync();
                    context.Request.Headers.AllKeys.ShouldBe(["Host"]);
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
                    context.Response.Close();
                    Interlocked.Increment(ref asked);
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }
    }

    public ValueTask DisposeAsync() => _ear.DisposeAsync();

    private static async Task<long> LooksAsync(NatsServer server)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{new Uri(server.Url).Host}:8222") };
        var about = await http.GetFromJsonAsync<JsonElement>("/varz");
        return about.GetProperty("http_req_stats").GetProperty("/connz").GetInt64();
    }

    private Task ApiIsAsync(SourceState state) =>
        _ear.Subscriber.Changed.UntilAsync(() => _ear.Api?.State == state, $"an API that is {state}");
}
