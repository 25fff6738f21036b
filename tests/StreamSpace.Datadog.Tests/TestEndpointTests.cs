using System.Net;
using System.Text.Json.Nodes;
using AgentlessDatadog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.Datadog.Api;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>A test of the connection, by the API and by <c>check</c>. Who may make it is the host's business.</summary>
public sealed class TestEndpointTests
{
    [Fact]
    public async Task EachLaneThatIsOnTellsItsAnswerAndTheNextTestWaits()
    {
        await using var run = await PluginRun.StartAsync();
        await using var server = await ServeAsync(run);
        var tested = await PostAsync(server);
        tested.Status.ShouldBe(HttpStatusCode.OK);
        tested.Answer["ok"]!.GetValue<bool>().ShouldBeTrue(tested.Answer.ToJsonString());
        var lanes = tested.Answer["lanes"]!.AsArray();
        lanes
            .Select(lane => lane!["lane"]!.GetValue<string>())
            .ShouldBe(["metrics", "distributions", "events", "traces"], ignoreOrder: true);
        lanes.ShouldAllBe(lane =>
            lane!["verdict"]!.GetValue<string>() == "delivered" && lane["milliseconds"] != null && lane["fix"] == null
        );
        (await run.LastAsync("avg:streamspace.datadog.canary{*}")).Values.ShouldBe([1]);

        (await PostAsync(server)).Status.ShouldBe(HttpStatusCode.TooManyRequests, "what it sends is seen in Datadog");
        run.Host.FakeClock.Advance(TimeSpan.FromSeconds(10));
        (await PostAsync(server)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void TheTimeThatACanaryTookIsOneNumber()
    {
        var test = new LaneTest("metrics", Verdict.Delivered, 202, null, TimeSpan.FromMilliseconds(6.7));
        var lane = TestEndpoint.Document([test], tracesEndpoint: null)["lanes"]![0]!;
        lane["milliseconds"]!.GetValue<long>().ShouldBe(6);
        lane["found"]!.GetValue<string>().ShouldContain("6 ms");
    }

    [Fact]
    public async Task ALaneThatIsRefusedSaysWhatToDo()
    {
        await using var run = await PluginRun.StartAsync();
        await using var server = await ServeAsync(run);
        await run.FaultAsync("""{"path":"/api/v1/events","status":403}""");
        var (_, answer) = await PostAsync(server);
        answer["ok"]!.GetValue<bool>().ShouldBeFalse();
        var lane = answer["lanes"]!.AsArray().Single(l => l!["lane"]!.GetValue<string>() == "events")!;
        lane["status"]!.GetValue<int>().ShouldBe(403);
        lane["refusal"]!.GetValue<string>().ShouldBe("productRefused");
        lane["fix"]!.GetValue<string>().ShouldContain("Allow it");
    }

    [Fact]
    public async Task NothingIsSentWhileItIsSwitchedOff()
    {
        await using var run = await PluginRun.StartAsync("""{"site":"sandbox","enabled":false}""");
        await using var server = await ServeAsync(run);
        var (status, answer) = await PostAsync(server);
        status.ShouldBe(HttpStatusCode.Conflict);
        answer["detail"]!.GetValue<string>().ShouldContain("enabled is false");
    }

    [Theory]
    [InlineData(202, CheckVerdict.Good)]
    [InlineData(403, CheckVerdict.Error)]
    [InlineData(503, CheckVerdict.Warning)]
    public async Task ACheckProbesEachLane(int status, CheckVerdict verdict)
    {
        await using var datadog = await DatadogAsync(status);
        var host = new HostStandIn();
        await using var plugin = PluginRun.NewPlugin();
        await plugin.LoadAsync(host, CancellationToken.None);
        var config = new JsonObject
        {
            ["site"] = "datadoghq.eu",
            ["apiKey"] = Secret.ApiKey,
            ["intakeUrl"] = datadog.Urls.Single(),
        };
        var findings = await plugin.CheckAsync(new PluginSettings(config), CancellationToken.None);
        var lanes = findings.Where(f => f.What.StartsWith("lane ", StringComparison.Ordinal)).ToList();
        lanes
            .Select(f => f.What)
            .ShouldBe(["lane metrics", "lane distributions", "lane events", "lane traces"], ignoreOrder: true);
        lanes.ShouldAllBe(f => f.Verdict == verdict && (f.Fix == null) == (verdict == CheckVerdict.Good));
    }

    // One that knows every key, and answers what is sent to it as it is told.
    private static async Task<WebApplication> DatadogAsync(int status)
    {
        var datadog = NewServer();
        datadog.MapGet("/api/v1/validate", () => TypedResults.Json(new JsonObject { ["valid"] = true }));
        datadog.MapPost(
            "/{**path}",
            () => TypedResults.Json(new JsonObject { ["errors"] = new JsonArray() }, statusCode: status)
        );
        await datadog.StartAsync();
        return datadog;
    }

    private static async Task<WebApplication> ServeAsync(PluginRun run)
    {
        var server = NewServer();
        run.Plugin.MapEndpoints(server.MapGroup("/api/plugins/datadog"));
        await server.StartAsync();
        return server;
    }

    private static WebApplication NewServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder.Build();
    }

    private static async Task<(HttpStatusCode Status, JsonObject Answer)> PostAsync(WebApplication server)
    {
        using var http = TestRun.NewClient(new Uri(server.Urls.Single()));
        using var answer = await http.PostAsync(new Uri("api/plugins/datadog/test", UriKind.Relative), content: null);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject());
    }
}
