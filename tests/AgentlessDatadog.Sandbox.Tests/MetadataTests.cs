using System.Net;
using System.Text;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class MetadataTests
{
    [Fact]
    public async Task TheListNamesWhatReportedSince()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("b.first", 3, 1);
        await sandbox.PutPointAsync("a.second", 3, 1);
        var between = sandbox.Now + 1;
        sandbox.Time.Advance(TimeSpan.FromSeconds(10));
        await sandbox.PutPointAsync("a.second", 3, 1);

        (await sandbox.GetAsync("/api/v1/metrics?from=0")).Text.ShouldBe(
            """{"from":"0","metrics":["a.second","b.first"]}"""
        );
        (await sandbox.GetAsync($"/api/v1/metrics?from={between}")).Text.ShouldBe(
            $$"""{"from":"{{between}}","metrics":["a.second"]}"""
        );
        (await sandbox.GetAsync("/api/v1/metrics")).Error.ShouldContain("'from'");
    }

    [Fact]
    public async Task AMetricThatNeverReportedHasNoMetadata()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.GetAsync("/api/v1/metrics/none")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await PutAsync(sandbox, "none", """{"unit":"byte"}""")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task MetadataIsKeptAndWhatIsNotSentStays()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", 1, 1);

        await PutAsync(sandbox, "a", """{"unit":"request","per_unit":"second","description":"Requests"}""");
        var reply = await PutAsync(sandbox, "a", """{"short_name":"req","statsd_interval":10}""");

        reply.Text.ShouldBe(
            """{"type":"count","unit":"request","per_unit":"second","description":"Requests","short_name":"req","integration":null,"statsd_interval":10}"""
        );
        (await sandbox.GetAsync("/api/v1/metrics/a")).Text.ShouldBe(reply.Text);
    }

    [Theory]
    [InlineData("""{"unit":"seconds"}""", "metadata.unit")]
    [InlineData("""{"per_unit":"ms"}""", "metadata.per_unit")]
    [InlineData("""{"type":"histogram"}""", "metadata.type: must be one of")]
    [InlineData("""{"statsd_interval":"10"}""", "metadata.statsd_interval: must be a whole number")]
    [InlineData("""[]""", "metadata: must be an object")]
    public async Task BadMetadataIsRefusedByItsField(string body, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", 1, 1);

        var reply = await PutAsync(sandbox, "a", body);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
    }

    private static Task<Reply> PutAsync(TestSandbox sandbox, string name, string body) =>
        sandbox.SendAsync(
            new HttpRequestMessage(HttpMethod.Put, $"/api/v1/metrics/{name}")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            }
        );
}
