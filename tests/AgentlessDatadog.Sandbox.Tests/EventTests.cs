using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class EventTests
{
    private const string Path = "/api/v1/events";

    [Fact]
    public async Task AnEventIsAcceptedWithAnIdBeyondWhatADoubleHolds()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(
            Path,
            """{"title":"t","text":"x","tags":["Env:Prod","1bad"],"aggregation_key":"k","alert_type":"warning","host":"h"}"""
        );

        reply.Status.ShouldBe(HttpStatusCode.Accepted);
        reply.Json.GetProperty("status").GetString().ShouldBe("ok");
        var stored = reply.Json.GetProperty("event");
        var id = long.Parse(stored.GetProperty("id_str").GetString()!);
        id.ShouldBe(stored.GetProperty("id").GetInt64());
        id.ShouldBeGreaterThan(1L << 53);
        stored.GetProperty("date_happened").GetInt64().ShouldBe(sandbox.Now);
        stored.GetProperty("priority").GetString().ShouldBe("normal");
        stored.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()).ShouldBe(["env:prod"]);
        (await sandbox.DroppedAsync())["bad_tag"].ShouldBe(1);

        var again = (await sandbox.GetAsync($"{Path}/{id}")).Json.GetProperty("event");
        again.GetProperty("title").GetString().ShouldBe("t");
        again.GetProperty("aggregation_key").GetString().ShouldBe("k");
    }

    [Theory]
    [InlineData(-64_800, 202)]
    [InlineData(-64_801, 400)]
    [InlineData(7_200, 202)]
    [InlineData(7_201, 400)]
    public async Task TheEventWindowIs18HoursBackAnd2HoursAhead(long offset, int status)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(
            Path,
            $$"""{"title":"t","text":"x","date_happened":{{sandbox.Now + offset}}}"""
        );

        ((int)reply.Status).ShouldBe(status);
        if (offset == -64_801)
        {
            reply.Text.ShouldBe("""{"errors":["Event too far in the past"]}""");
            reply.ContentType.ShouldBe("text/plain; charset=utf-8");
        }
    }

    [Theory]
    [InlineData("""{"text":"x"}""", "event.title: missing")]
    [InlineData("""{"title":"","text":"x"}""", "event.title: must be a non-empty string")]
    [InlineData("""{"title":"t"}""", "event.text: missing")]
    [InlineData("""{"title":"t","text":"x","hostname":"h"}""", "unknown field")]
    [InlineData("""{"title":"t","text":"x","priority":"high"}""", "event.priority: must be one of normal, low")]
    [InlineData("""{"title":"t","text":"x","alert_type":"bad"}""", "event.alert_type: must be one of")]
    [InlineData("""{"title":"t","text":"x","date_happened":"now"}""", "event.date_happened: must be a whole number")]
    [InlineData("""{"title":"t","text":"x","tags":"a:b"}""", "event.tags: must be a list of strings")]
    [InlineData("""{"title":"t","text":"x","\ud800":1}""", "not valid Unicode")]
    [InlineData("""[{"title":"t","text":"x"}]""", "event: must be an object")]
    public async Task AnEventOfTheWrongShapeIsRefusedByItsField(string body, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, body);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
    }

    [Theory]
    [InlineData("text", 4_000)]
    [InlineData("aggregation_key", 100)]
    public async Task TextAndAggregationKeyHaveAnEnd(string field, int max)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await SendAsync(max)).Status.ShouldBe(HttpStatusCode.Accepted);
        (await SendAsync(max + 1)).Error.ShouldBe($"event.{field}: must be at most {max} characters");

        Task<Reply> SendAsync(int length) =>
            sandbox.PostAsync(
                Path,
                field == "text"
                    ? $$"""{"title":"t","text":"{{new string('x', length)}}"}"""
                    : $$"""{"title":"t","text":"x","aggregation_key":"{{new string('x', length)}}"}"""
            );
    }

    [Fact]
    public async Task AnEventSentTwiceIsHeldTwice()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(Path, """{"title":"t","text":"x","aggregation_key":"k"}""");
        await sandbox.PostAsync(Path, """{"title":"t","text":"x","aggregation_key":"k"}""");

        (await TitlesAsync(sandbox, "")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task TheListFollowsTimesPrioritySourcesAndTags()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var now = sandbox.Now;
        await sandbox.PostAsync(Path, """{"title":"plain","text":"","tags":["a:b"]}""");
        await sandbox.PostAsync(Path, """{"title":"low","text":"","priority":"low","tags":["a:b","c:d"]}""");
        await sandbox.PostAsync(Path, """{"title":"sourced","text":"","source_type_name":"mine"}""");
        await sandbox.PostAsync(Path, $$"""{"title":"old","text":"","date_happened":{{now - 5_000}}}""");

        (await TitlesAsync(sandbox, "")).ShouldBe(["sourced", "low", "plain"]);
        (await TitlesAsync(sandbox, "&priority=low")).ShouldBe(["low"]);
        (await TitlesAsync(sandbox, "&sources=mine")).ShouldBe(["sourced"]);
        (await TitlesAsync(sandbox, "&tags=a:b")).ShouldBe(["low", "plain"]);
        (await TitlesAsync(sandbox, "&tags=a:b,C:D")).ShouldBe(["low"]);
    }

    [Theory]
    [InlineData("/api/v1/events/12")]
    [InlineData("/api/v1/events/twelve")]
    public async Task AnUnknownIdIsNotFound(string path)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.GetAsync(path)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task TheListNeedsBothEnds()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.GetAsync($"{Path}?start=1")).Error.ShouldContain("'end'");
    }

    [Fact]
    public async Task EventsGoWhenRetentionIsOverOrThereAreTooMany()
    {
        await using var sandbox = await TestSandbox.StartAsync(o =>
            o with
            {
                Retention = TimeSpan.FromHours(1),
                Limits = o.Limits with { Events = 2 },
            }
        );
        foreach (var title in new[] { "one", "two", "three" })
        {
            await sandbox.PostAsync(Path, $$"""{"title":"{{title}}","text":""}""");
        }
        (await TitlesAsync(sandbox, "")).ShouldBe(["three", "two"]);

        sandbox.Time.Advance(TimeSpan.FromMinutes(61));

        (await TitlesAsync(sandbox, "")).ShouldBeEmpty();
    }

    private static async Task<string[]> TitlesAsync(TestSandbox sandbox, string filter) =>
        [
            .. (await sandbox.GetAsync($"{Path}?start={sandbox.Now - 4_000}&end={sandbox.Now}{filter}"))
                .Json.GetProperty("events")
                .EnumerateArray()
                .Select(stored => stored.GetProperty("title").GetString()!),
        ];
}
