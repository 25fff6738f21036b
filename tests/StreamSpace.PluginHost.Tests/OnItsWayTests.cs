using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A good call gets 503 with Retry-After while what it is for is on its way; 404 is for what will not come.</summary>
public sealed class OnItsWayTests
{
    private const string Echo = "streamspace-echo";
    private const string Call = "api/plugins/echo/echo";

    private readonly FakeTimeProvider _clock = new(
        DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture)
    );

    private readonly Market _market = new();

    public OnItsWayTests() => _market.Lay(Market.Built("plugins/streamspace-echo"));

    [Fact]
    public async Task BetweenTwoCopiesOfAPluginACallIsForLater()
    {
        await using var host = await TestHost.StartAsync(_market.Settings, _clock);
        await host.PutConfigAsync("""{"unload":"hang"}""");
        (await CallAsync(host)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var reloaded = PostAsync(host, $"api/plugins/{Echo}/reload");
        // The clock stands: the old copy is being unloaded for as long as this takes.
        await Patience.Until(async () => (await CallAsync(host)).StatusCode != HttpStatusCode.OK);
        await ForLaterAsync(await CallAsync(host), "giving way to another copy");
        await _clock.AdvanceUntilAsync(reloaded);
        (await reloaded).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(host)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync("api/plugins/echo/nothing")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await host.PutConfigAsync("""{"unload":"clean"}""");
    }

    [Fact]
    public async Task AnIsolatedPluginsCallsAreForLaterAndThoseOfOneThatIsOffAreForNobody()
    {
        await using var host = await TestHost.StartAsync(
            _market.Settings with
            {
                CallTimeout = TimeSpan.FromSeconds(2),
            }
        );
        await File.WriteAllTextAsync(
            Path.Combine(host.Settings.DataFolder, Echo, "config-hangs"),
            "",
            TestContext.Current.CancellationToken
        );
        await ForLaterAsync(await PostAsync(host, $"api/plugins/{Echo}/reload"), "isolated: it did not come back");
        await ForLaterAsync(await CallAsync(host), "taking a config");
        (await host.SendAsync(HttpMethod.Post, Call)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await PostAsync(host, "api/plugins/nobody/echo")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await PostAsync(host, $"api/plugins/{Echo}/disable");
        (await CallAsync(host)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task ARequestThatACopyIsAtIsAnsweredBeforeThatCopyGoes()
    {
        await using var host = await TestHost.StartAsync(_market.Settings, _clock);
        var body = new HeldContent();
        var begun = host.SendAsync(HttpMethod.Post, Call, host.Admin, body);
        await body.Begun;
        // The copy is at it, and not only the server.
        await Patience.Until(() => File.Exists(Path.Combine(host.Settings.DataFolder, Echo, "echoing")));
        var reloaded = PostAsync(host, $"api/plugins/{Echo}/reload");
        await Patience.Until(async () => (await CallAsync(host)).StatusCode != HttpStatusCode.OK);
        body.Finish();
        (await begun).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await reloaded).StatusCode.ShouldBe(HttpStatusCode.OK, "and nobody had to move the clock");
    }

    [Fact]
    public async Task WhileTheHostStartsWhatItsPluginsWillServeIsForLater()
    {
        var (socket, port) = HostProcess.TakePort();
        socket.Dispose();
        var settings = _market.Settings;
        var starting = TestHost.StartAsync(
            settings with
            {
                Urls = [$"http://127.0.0.1:{port}"],
                Environment = new Dictionary<string, string>(settings.Environment) { ["ECHO_CONFIG_HANGS"] = "yes" },
            },
            _clock
        );
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        await Patience.Until(async () =>
        {
            try
            {
                return (await http.GetAsync("healthz", TestContext.Current.CancellationToken)).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        // The clock stands: the plugin is being loaded for as long as this takes.
        var token = AccessTokens
            .Of(settings.Environment, settings.DataFolder, _clock)
            .Issue(Roles.Admin, TimeSpan.FromHours(1));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var path in (string[])[Call, $"api/plugins/{Echo}/enable", "api/plugins/catalog/x/install"])
        {
            using var answer = await http.PostAsync(path, TestHost.Json("{}"), TestContext.Current.CancellationToken);
            await ForLaterAsync(answer, "still starting");
        }
        await _clock.AdvanceUntilAsync(starting);
        await (await starting).DisposeAsync();
    }

    private static async Task ForLaterAsync(HttpResponseMessage answer, string why)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter.ShouldNotBeNull().Delta.ShouldNotBeNull().TotalSeconds.ShouldBeInRange(1, 600);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        ((string?)(await TestHost.BodyAsync(answer))["detail"]).ShouldNotBeNull().ShouldContain(why);
    }

    private static Task<HttpResponseMessage> CallAsync(TestHost host) => PostAsync(host, Call);

    private static Task<HttpResponseMessage> PostAsync(TestHost host, string path) =>
        host.SendAsync(HttpMethod.Post, path, host.Admin, TestHost.Json("{}"));

    /// <summary>A body whose second half comes when a test says so.</summary>
    private sealed class HeldContent : HttpContent
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public HeldContent() => Headers.ContentType = new MediaTypeHeaderValue("application/json");

        public Task Begun => _begun.Task;

        public void Finish() => _finish.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{"u8.ToArray());
            await stream.FlushAsync();
            _begun.SetResult();
            await _finish.Task;
            await stream.WriteAsync("}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
