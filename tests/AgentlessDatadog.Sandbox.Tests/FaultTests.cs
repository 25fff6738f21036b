using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class FaultTests
{
    private const string Faults = "/sandbox/faults";

    [Fact]
    public async Task AStatusStrikesAsOftenAsAskedAndTakesNothing()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(
            Faults,
            """
            {"path":"/api/v2/series","status":429,"times":2,"headers":{"X-RateLimit-Reset":"7"},
             "body":"{\"errors\":[\"slow\"]}"}
            """
        );

        var first = await sandbox.PutPointAsync("a", 3, 1);
        first.Status.ShouldBe(HttpStatusCode.TooManyRequests);
        first.Text.ShouldBe("""{"errors":["slow"]}""");
        first.Headers.GetValues("X-RateLimit-Reset").ShouldBe(["7"]);
        (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        (await sandbox.ValueAsync("avg:a{*}")).ShouldBeNull();

        (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task AnAnswerMayBeOneThatDatadogNeverGives()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(
            Faults,
            """{"path":"/api/v1/validate","status":202,"headers":{"Content-Type":"text/html"},"body":"<p>proxy</p>"}"""
        );

        var reply = await sandbox.GetAsync("/api/v1/validate");

        ((int)reply.Status).ShouldBe(202);
        reply.ContentType.ShouldBe("text/html");
        reply.Text.ShouldBe("<p>proxy</p>");
    }

    [Theory]
    [InlineData("/v1/traces")]
    [InlineData("/api/v2/logs")]
    public async Task TracesAndLogsHaveFaultsToo(string path)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(Faults, $$"""{"path":"{{path}}","status":503,"times":1}""");
        await sandbox.PostAsync(
            Faults,
            $$$"""{"path":"{{{path}}}","status":200,"headers":{"Content-Type":"text/html"},"body":"<p>proxy</p>"}"""
        );
        var body =
            path == "/v1/traces" ? OtlpSpan.Json("shop", new OtlpSpan { Start = sandbox.Now }) : """{"message":"m"}""";

        (await sandbox.PostAsync(path, body)).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await sandbox.PostAsync(path, body)).Text.ShouldBe("<p>proxy</p>");
        (await sandbox.PostAsync(path, body)).Status.ShouldBe(HttpStatusCode.Accepted);

        (await sandbox.GetAsync($"/sandbox/requests?path={path}"))
            .Json.GetProperty("requests")
            .EnumerateArray()
            .Select(request => request.GetProperty("status").GetInt32())
            .ShouldBe([503, 200, 202]);
    }

    [Theory]
    [InlineData("before", null)]
    [InlineData("after", 1.0)]
    public async Task ACutBeforeTheBodyTakesNothingAndOneAfterItTakesAll(string cut, double? value)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(Faults, $$"""{"path":"/api/v2/*","cut":"{{cut}}"}""");

        await Should.ThrowAsync<HttpRequestException>(sandbox.PutPointAsync("a", 3, 1));

        (await sandbox.ValueAsync("avg:a{*}")).ShouldBe(value);
        // The sender learns of the cut a moment before the list does.
        JsonElement requests = default;
        await Patience.Until(async () =>
        {
            requests = (await sandbox.GetAsync("/sandbox/requests?path=/api/v2/series")).Json.GetProperty("requests");
            return requests.GetArrayLength() > 0;
        });
        requests[0].GetProperty("status").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task ADelayHoldsTheRequestOnTheInjectedClock()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(Faults, """{"path":"/api/v1/validate","delayMs":60000}""");

        var reply = sandbox.GetAsync("/api/v1/validate");
        while (!reply.IsCompleted)
        {
            // Time is ours, so this cannot end before the minute has passed on the clock.
            sandbox.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        (await reply).Status.ShouldBe(HttpStatusCode.OK);
        sandbox.Time.GetUtcNow().ShouldBeGreaterThanOrEqualTo(sandbox.Time.Start.AddMinutes(1));
    }

    [Fact]
    public async Task OtherPathsAreSparedAndTheListShowsWhatIsLeft()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(Faults, """{"path":"/api/v1/*","status":503,"times":3}""");

        (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.Accepted);
        (await sandbox.GetAsync("/api/v1/validate")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);

        (await sandbox.GetAsync(Faults)).Text.ShouldBe(
            """{"faults":[{"path":"/api/v1/*","left":2,"status":503,"delayMs":0}]}"""
        );
        await sandbox.SendAsync(new HttpRequestMessage(HttpMethod.Delete, Faults));
        (await sandbox.GetAsync(Faults)).Text.ShouldBe("""{"faults":[]}""");
        (await sandbox.GetAsync("/api/v1/validate")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("""[]""", "JSON object")]
    [InlineData("""{"path":"/api/v1/x"}""", "needs status, delayMs or cut")]
    [InlineData("""{"status":500}""", "path:")]
    [InlineData("""{"path":"/sandbox/faults","status":500}""", "path:")]
    [InlineData("""{"path":"/api/*/x","status":500}""", "path:")]
    [InlineData("""{"path":"/api/v1/x","status":99}""", "status: a whole number from 200 to 599")]
    [InlineData("""{"path":"/api/v1/x","status":"500"}""", "status: a whole number")]
    [InlineData("""{"path":"/api/v1/x","status":500,"times":0}""", "times: a whole number from 1")]
    [InlineData("""{"path":"/api/v1/x","delayMs":-1}""", "delayMs: a whole number from 0")]
    [InlineData("""{"path":"/api/v1/x","cut":"middle"}""", "cut: before or after")]
    [InlineData("""{"path":"/api/v1/x","cut":"after","status":500}""", "cut:")]
    [InlineData("""{"path":"/api/v1/x","cut":"after","body":"x"}""", "need a status")]
    [InlineData("""{"path":"/api/v1/x","status":500,"headers":{"A":"b\r\nC: d"}}""", "headers:")]
    [InlineData("""{"path":"/api/v1/x","status":500,"headers":{"Content-Length":"5"}}""", "headers:")]
    [InlineData("""{"path":"/api/v1/x","status":500,"when":"now"}""", "Unknown field")]
    public async Task ABadFaultIsRefusedByItsField(string body, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Faults, body);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
        (await sandbox.GetAsync(Faults)).Text.ShouldBe("""{"faults":[]}""");
    }
}
