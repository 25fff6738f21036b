using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class KeyTests
{
    private const string OtherApiKey = "ffffffffffffffffffffffffffffffff";

    [Fact]
    public async Task AWellFormedKeyIsValid()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.GetAsync("/api/v1/validate");

        reply.Status.ShouldBe(HttpStatusCode.OK);
        reply.Text.ShouldBe("""{"valid":true}""");
    }

    [Theory]
    [InlineData(null, """{"errors":["API key required"]}""")]
    [InlineData("", """{"errors":["API key required"]}""")]
    [InlineData("0123456789abcdef0123456789abcde", """{"errors":["Forbidden"]}""")]
    [InlineData("0123456789abcdef0123456789abcdeg", """{"errors":["Forbidden"]}""")]
    [InlineData("0123456789abcdef0123456789abcdef0", """{"errors":["Forbidden"]}""")]
    public async Task AMissingKeyAndAWrongOneAreToldApart(string? key, string body)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Remove("DD-API-KEY");
        if (key is not null)
        {
            sandbox.Client.DefaultRequestHeaders.Add("DD-API-KEY", key);
        }

        foreach (var reply in await OnEveryIntakeAsync(sandbox))
        {
            reply.Status.ShouldBe(HttpStatusCode.Forbidden);
            reply.Text.ShouldBe(body);
        }
    }

    [Fact]
    public async Task NamedKeysShutOutAllOthers()
    {
        await using var sandbox = await TestSandbox.StartAsync(options => options with { Keys = [OtherApiKey] });

        (await sandbox.GetAsync("/api/v1/validate")).Status.ShouldBe(HttpStatusCode.Forbidden);

        sandbox.Client.DefaultRequestHeaders.Remove("DD-API-KEY");
        sandbox.Client.DefaultRequestHeaders.Add("dd-api-key", OtherApiKey.ToUpperInvariant());
        (await sandbox.GetAsync("/api/v1/validate")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/api/v1/query?query=avg:a{*}&from=0&to=1")]
    [InlineData("/api/v1/metrics?from=0")]
    [InlineData("/api/v1/metrics/a")]
    [InlineData("/api/v1/events?start=0&end=1")]
    [InlineData("/api/v1/events/1")]
    public async Task ReadingNeedsTheApplicationKeyToo(string path)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Remove("DD-APPLICATION-KEY");

        var reply = await sandbox.GetAsync(path);

        reply.Status.ShouldBe(HttpStatusCode.Forbidden);
        reply.Text.ShouldBe("""{"errors":["Forbidden"]}""");
    }

    [Fact]
    public async Task AKeyInTheQueryStringCountsAndIsNeverShown()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Clear();

        (await sandbox.GetAsync($"/api/v1/validate?api_key={OtherApiKey}")).Status.ShouldBe(HttpStatusCode.OK);

        (await sandbox.GetAsync("/sandbox/requests")).Text.ShouldNotContain(OtherApiKey);
    }

    [Fact]
    public async Task AKeyOfNoKnownShapeIsRefusedWithoutBeingRepeated()
    {
        var error = await Should.ThrowAsync<ArgumentException>(
            TestSandbox.StartAsync(options => options with { Keys = ["not-a-key"] })
        );

        error.Message.ShouldContain("Key 1 of 1");
        error.Message.ShouldNotContain("not-a-key");
    }

    private static async Task<Reply[]> OnEveryIntakeAsync(TestSandbox sandbox) =>
        [
            await sandbox.GetAsync("/api/v1/validate"),
            await sandbox.PostV1Async(""),
            await sandbox.PostV2Async(""),
            await sandbox.PostAsync("/api/v1/distribution_points", """{"series":[]}"""),
            await sandbox.PostAsync("/api/v1/events", """{"title":"a","text":"b"}"""),
        ];
}
