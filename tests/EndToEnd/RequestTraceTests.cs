using System.Net;
using System.Text;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using Xunit;

namespace EndToEnd;

/// <summary>What the running program is asked, as traces.</summary>
public sealed class RequestTraceTests
{
    private const string Caller = "b7ad6b7169203331";

    [Fact]
    public async Task ARequestIsInTheTraceOfItsCallerAndWhatIsSentToTheSandboxInNone()
    {
        await using var installation = await Installation.StartAsync();
        await SwitchOnAsync(installation);
        var span = await TraceAsync(installation, "0af7651916cd43dd8448eb211c80319c");
        span.GetProperty("parent_id").GetString().ShouldBe($"{Convert.ToUInt64(Caller, 16)}");
        span.GetProperty("resource_name").GetString()!.ShouldStartWith("GET /api/plugins/");
        span.GetProperty("type").GetString().ShouldBe("web");
        span.GetProperty("status").GetString().ShouldBe("ok");
        span.ToString().ShouldNotContain("hunter2");

        // The requests that brought it would come back with the next one.
        await TraceAsync(installation, "1af7651916cd43dd8448eb211c80319c");
        foreach (var type in new[] { "web", "http" })
        {
            var others = await SpansAsync(installation, $"type:{type}");
            others.ShouldAllBe(other => !$"{other}".Contains("/v1/traces") && !$"{other}".Contains("/api/v2/series"));
        }
    }

    [Fact]
    public async Task WhatItAsksKubernetesAndPostgresqlAndHearsOfNatsIsTracedWithoutValues()
    {
        await using var servers = await StreamSpaceServers.StartAsync(TimeProvider.System);
        await using var installation = await servers.AttachAsync();
        await SwitchOnAsync(installation);
        await using var nats = await servers.ConnectAsync();
        var message = new UpstreamMessages(seed: 5).Create(
            "ada-gimp-1",
            "ada",
            "gimp",
            TimeProvider.System.GetUtcNow()
        );
        await message.PublishAsync(nats);

        var calls = await FoundAsync(installation, "operation_name:http.client.request");
        calls.ShouldAllBe(call => call.GetProperty("type").GetString() == "http");
        var statements = await FoundAsync(installation, "operation_name:postgresql.query");
        statements.ShouldAllBe(statement => statement.GetProperty("type").GetString() == "sql");
        statements.ShouldAllBe(statement => !statement.GetProperty("resource_name").GetString()!.Contains('\''));
        statements.ShouldContain(statement => statement.GetProperty("resource_name").GetString()!.StartsWith("SELECT"));
        var heard = await FoundAsync(installation, "operation_name:nats.receive");
        heard.ShouldAllBe(one => one.GetProperty("type").GetString() == "queue");
        heard.ShouldAllBe(one => !one.GetProperty("resource_name").GetString()!.Contains("ada"));
    }

    private static async Task SwitchOnAsync(Installation installation)
    {
        using var body = new StringContent("""{"traceRequests":true}""", Encoding.UTF8, "application/json");
        using var put = await installation.Http.PutAsync("/api/plugins/datadog/config", body);
        put.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static Task<IReadOnlyList<JsonElement>> FoundAsync(Installation installation, string query) =>
        Eventually.GetAsync(
            query,
            async () => await SpansAsync(installation, query) is { Count: > 0 } found ? found : null
        );

    // What is found of a request that its caller traces.
    private static async Task<JsonElement> TraceAsync(Installation installation, string trace)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/plugins/datadog/config?secret=hunter2");
        request.Headers.Add("traceparent", $"00-{trace}-{Caller}-01");
        using var answer = await installation.Http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return (await FoundAsync(installation, $"trace_id:{trace}")).ShouldHaveSingleItem();
    }

    private static async Task<IReadOnlyList<JsonElement>> SpansAsync(Installation installation, string query) =>
        [
            .. (
                await installation.Sandbox.GetAsync(
                    $"/api/v2/spans/events?filter[query]={Uri.EscapeDataString(query)}&page[limit]=1000"
                )
            )
                .GetProperty("data")
                .EnumerateArray()
                .Select(found => found.GetProperty("attributes")),
        ];
}
