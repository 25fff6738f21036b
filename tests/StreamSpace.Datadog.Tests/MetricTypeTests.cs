using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>A custom metric is what it was first, until an operator releases its name.</summary>
public sealed class MetricTypeTests
{
    private const string Gauge = """{"metric":"custom.one","value":1,"type":"gauge"}""";
    private const string Count = """{"metric":"custom.one","value":1,"type":"count"}""";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ATypeOutlivesARestartAndSoDoesItsRelease(bool isUnloaded)
    {
        await using var run = await PluginRun.StartAsync();
        (await SendAsync(run, Gauge)).ShouldBe(HttpStatusCode.Accepted);
        (await SendAsync(run, Count)).ShouldBe(HttpStatusCode.BadRequest);
        await run.FlushAsync();

        await run.ReplaceAsync(isUnloaded);
        (await SendAsync(run, Count)).ShouldBe(HttpStatusCode.BadRequest, "a restart makes no other metric of it");
        (await SendAsync(run, Gauge)).ShouldBe(HttpStatusCode.Accepted);
        (await ReleaseAsync(run, "custom.one")).ShouldBe(HttpStatusCode.Conflict, "its value is not flushed yet");
        (await ReleaseAsync(run, "custom.two")).ShouldBe(HttpStatusCode.NotFound);
        await run.FlushAsync();

        (await ReleaseAsync(run, "custom.one")).ShouldBe(HttpStatusCode.NoContent);
        await run.ReplaceAsync(isUnloaded);
        (await SendAsync(run, Count)).ShouldBe(HttpStatusCode.Accepted);
        (await SendAsync(run, Gauge)).ShouldBe(HttpStatusCode.BadRequest);
        await run.FlushAsync();
    }

    [Fact]
    public async Task AReleasedNameIsTakenAtOnceWithAnotherTypeAndTheSameTags()
    {
        await using var run = await PluginRun.StartAsync();
        (await SendAsync(run, Gauge)).ShouldBe(HttpStatusCode.Accepted);
        await run.FlushAsync();
        (await ReleaseAsync(run, "custom.one")).ShouldBe(HttpStatusCode.NoContent);
        (await SendAsync(run, Count)).ShouldBe(HttpStatusCode.Accepted);
        await run.FlushAsync();
        (await SendAsync(run, Count)).ShouldBe(HttpStatusCode.Accepted);
        await run.FlushAsync();
        (await SendAsync(run, Gauge)).ShouldBe(HttpStatusCode.BadRequest);
        run.Plugin.Undelivered.ShouldBeEmpty();
    }

    private static Task<HttpStatusCode> SendAsync(PluginRun run, string body) =>
        AskAsync(run, HttpMethod.Post, "metrics", body);

    private static Task<HttpStatusCode> ReleaseAsync(PluginRun run, string name) =>
        AskAsync(run, HttpMethod.Delete, $"metrics/{name}", body: null);

    // A copy's endpoints are its own.
    private static async Task<HttpStatusCode> AskAsync(PluginRun run, HttpMethod method, string path, string? body)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = builder.Build();
        run.Plugin.MapEndpoints(server.MapGroup("/api/plugins/datadog"));
        await server.StartAsync();
        using var http = TestRun.NewClient(new Uri(server.Urls.Single()));
        using var request = new HttpRequestMessage(method, $"api/plugins/datadog/{path}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }
}
