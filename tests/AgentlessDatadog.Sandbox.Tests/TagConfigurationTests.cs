using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Which tags of a metric can be asked for, and its percentiles, is configured as at Datadog.</summary>
public sealed class TagConfigurationTests
{
    private const string Path = "/api/v2/metrics/ready/tags";

    [Fact]
    public async Task AConfigurationIsMadeEditedReadAndDeleted()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutSamplesAsync("ready", [1], "template:a");

        var made = await sandbox.PostAsync(Path, Request("""{"metric_type":"distribution","tags":["template"]}"""));
        sandbox.Time.Advance(TimeSpan.FromMinutes(1));
        var edited = await sandbox.SendAsync(HttpMethod.Patch, Path, Request("""{"include_percentiles":true}"""));

        made.Status.ShouldBe(HttpStatusCode.Created, made.Text);
        made.Text.ShouldBe(
            """{"data":{"type":"manage_tags","id":"ready","attributes":{"tags":["template"],"created_at":"2026-03-01T12:00:00.000000+00:00","modified_at":"2026-03-01T12:00:00.000000+00:00","metric_type":"distribution","include_percentiles":false}}}""".Replace(
                "+",
                "\\u002B",
                StringComparison.Ordinal
            )
        );
        edited.Status.ShouldBe(HttpStatusCode.OK, edited.Text);
        var attributes = edited.Json.GetProperty("data").GetProperty("attributes");
        attributes.GetProperty("include_percentiles").GetBoolean().ShouldBeTrue();
        attributes.GetProperty("tags").GetRawText().ShouldBe("""["template"]""");
        attributes.GetProperty("modified_at").GetString().ShouldBe("2026-03-01T12:01:00.000000+00:00");
        (await sandbox.GetAsync(Path)).Text.ShouldBe(edited.Text);
        (await sandbox.DeleteAsync(Path)).Status.ShouldBe(HttpStatusCode.NoContent);
        foreach (var missing in (Reply[])[await sandbox.GetAsync(Path), await sandbox.DeleteAsync(Path)])
        {
            missing.Status.ShouldBe(HttpStatusCode.NotFound);
            missing.Error.ShouldBe("ready not found");
        }
    }

    [Fact]
    public async Task ASecondOneIsAConflictAndAnUnknownMetricHasNone()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var request = Request("""{"metric_type":"gauge","tags":[]}""");

        var unknown = await sandbox.PostAsync(Path, request);
        await sandbox.PutPointAsync("ready", 3, 1);
        (await sandbox.PostAsync(Path, request)).Status.ShouldBe(HttpStatusCode.Created);
        var second = await sandbox.PostAsync(Path, request);

        unknown.Status.ShouldBe(HttpStatusCode.BadRequest);
        unknown.Error.ShouldBe("Cannot configure tags on a metric that does not exist.");
        second.Status.ShouldBe(HttpStatusCode.Conflict);
        second.Error.ShouldBe("New gauge/count/rate conflicts with existing tag configuration, use PATCH to update");
    }

    [Theory]
    [InlineData(
        """{"metric_type":"gauge","tags":["a"],"include_percentiles":true}""",
        "Cannot include percentiles for ready"
    )]
    [InlineData("""{"metric_type":"distribution","tags":["a"]}""", "Metric ready is a gauge, not a distribution")]
    [InlineData(
        """{"metric_type":"histogram","tags":["a"]}""",
        "'histogram' is not one of ['gauge', 'count', 'rate', 'distribution']"
    )]
    [InlineData("""{"metric_type":"gauge"}""", "'tags' is a required property at data.attributes")]
    [InlineData("""{"metric_type":"gauge","tags":["a"],"percentiles":true}""", "('percentiles' was unexpected)")]
    public async Task AConfigurationThatDatadogRefusesIsRefused(string attributes, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("ready", 3, 1);

        var reply = await sandbox.PostAsync(Path, Request(attributes));

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
        (await sandbox.GetAsync(Path)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    private static string Request(string attributes) =>
        $$$"""{"data":{"type":"manage_tags","id":"ready","attributes":{{{attributes}}}}}""";
}
