using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class LogTests
{
    private const string Path = "/api/v2/logs";

    [Theory]
    [InlineData(null)]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    public async Task ALogIsReadBackAsItWasSent(string? encoding)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = $$$"""
            [{"message":"session failed","ddsource":"StreamSpace","ddtags":"env:test,team:a","hostname":"node-1",
              "service":"streamspace","status":"error","timestamp":{{{(sandbox.Now - 60) * 1000}}},
              "dd.trace_id":"72623859790382856","error":{"kind":"Timeout","stack":"at x"},"n":5,"list":["a","b"]}]
            """;
        var bytes = Encoding.UTF8.GetBytes(body);

        var reply = await sandbox.PostAsync(
            Path,
            encoding is null ? bytes : Encodings.Encode(encoding, bytes),
            encoding: encoding
        );

        reply.Status.ShouldBe(HttpStatusCode.Accepted, reply.Text);
        reply.Text.ShouldBe("{}");
        var log = (await sandbox.SearchAsync("logs", "service:streamspace")).ShouldHaveSingleItem();
        log.GetProperty("message").GetString().ShouldBe("session failed");
        log.GetProperty("host").GetString().ShouldBe("node-1");
        log.GetProperty("status").GetString().ShouldBe("error");
        log.GetProperty("timestamp").GetDateTimeOffset().ToUnixTimeSeconds().ShouldBe(sandbox.Now - 60);
        log.GetProperty("tags")
            .EnumerateArray()
            .Select(tag => tag.GetString())
            .ShouldBe(["env:test", "team:a", "source:streamspace"]);
        var attributes = log.GetProperty("attributes");
        attributes.GetProperty("error").GetProperty("kind").GetString().ShouldBe("Timeout");
        attributes.GetProperty("dd.trace_id").GetString().ShouldBe("72623859790382856");
        attributes.TryGetProperty("message", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("\"Error\"", "error")]
    [InlineData("\"WARNING\"", "warn")]
    [InlineData("\"information\"", "info")]
    [InlineData("\"critical\"", "critical")]
    [InlineData("\"fatal\"", "emergency")]
    [InlineData("\"trace\"", "debug")]
    [InlineData("\"success\"", "ok")]
    [InlineData("3", "error")]
    [InlineData("8", "info")]
    [InlineData("null", "info")]
    public async Task AStatusIsOneOfDatadogsWhateverWordWasSent(string sent, string status)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PostAsync(Path, $$"""{"message":"m","level":{{sent}}}""");

        (await sandbox.SearchAsync("logs", "*"))[0].GetProperty("status").GetString().ShouldBe(status);
    }

    [Theory]
    [InlineData("\"timestamp\":\"2026-03-01T11:00:00Z\"", "2026-03-01T11:00:00.000Z")]
    [InlineData("\"date\":1772362800123", "2026-03-01T11:00:00.123Z")]
    [InlineData("\"timestamp\":\"1772362800123\"", "2026-03-01T11:00:00.123Z")]
    [InlineData("\"timestamp\":\"some day\"", "2026-03-01T12:00:00.000Z")]
    [InlineData("\"other\":1", "2026-03-01T12:00:00.000Z")]
    public async Task ATimeIsIsoOrMillisecondsAndOtherwiseTheTimeOfReceipt(string field, string time)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PostAsync(Path, $$"""{"message":"m",{{field}}}""");

        (await sandbox.SearchAsync("logs", "*"))[0].GetProperty("timestamp").GetString().ShouldBe(time);
    }

    [Fact]
    public async Task LogsOutOfTheWindowAreDroppedBehindTheirAnswerAndListed()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        string At(long offset) => $$"""{"message":"{{offset}}","timestamp":{{(sandbox.Now * 1000) + offset}}}""";
        const long hour = 3_600_000;

        var reply = await sandbox.PostAsync(
            Path,
            $"[{At(-18 * hour)},{At((-18 * hour) - 1)},{At(2 * hour)},{At((2 * hour) + 1)}]"
        );

        reply.Status.ShouldBe(HttpStatusCode.Accepted);
        (await sandbox.SearchAsync("logs", "*"))
            .Select(log => log.GetProperty("message").GetString())
            .ShouldBe([$"{-18 * hour}", $"{2 * hour}"]);
        (await sandbox.DroppedAsync()).ShouldBe(
            new Dictionary<string, int> { ["too_old"] = 1, ["too_new"] = 1 },
            ignoreOrder: true
        );
    }

    [Theory]
    [InlineData("5", "log: must be an object")]
    [InlineData("[{\"message\":\"m\"},{\"text\":\"m\"}]", "log[1].message: missing")]
    [InlineData("{\"message\":5}", "log.message: must be a string")]
    [InlineData("{\"message\":\"m\",\"ddtags\":[\"a:b\"]}", "log.ddtags: must be a string")]
    [InlineData("{\"message\":\"m\",\"a\":{\"b\":\"\\ud800\"}}", "not valid Unicode")]
    [InlineData("{\"message\":", "Unable to parse")]
    public async Task ABadBodyIsRefusedWholeInTheFormOfTheLogsRoute(string body, string error)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, body);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        var told = reply.Json.GetProperty("errors")[0];
        told.GetProperty("status").GetString().ShouldBe("400");
        told.GetProperty("title").GetString().ShouldBe("Bad Request");
        told.GetProperty("detail").GetString()!.ShouldContain(error);
        (await sandbox.SearchAsync("logs", "*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task AKeyThatIsMissingIsAnotherErrorThanOneThatIsWrong()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Remove("DD-API-KEY");
        (await sandbox.PostAsync(Path, """{"message":"m"}""")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        sandbox.Client.DefaultRequestHeaders.Add("DD-API-KEY", "short");
        (await sandbox.PostAsync(Path, """{"message":"m"}""")).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task AThousandEntriesAreTakenAndNotOneMore()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        string Many(int count) => $"[{string.Join(',', Enumerable.Repeat("{\"message\":\"m\"}", count))}]";

        (await sandbox.PostAsync(Path, Many(1_000))).Status.ShouldBe(HttpStatusCode.Accepted);
        (await sandbox.PostAsync(Path, Many(1_001))).Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await sandbox.SearchAsync("logs", "*")).Length.ShouldBe(1_000);
    }

    [Theory]
    [InlineData(0, HttpStatusCode.Accepted)]
    [InlineData(1, HttpStatusCode.RequestEntityTooLarge)]
    public async Task FiveMegabytesUncompressedAreTakenAndNotAByteMore(int more, HttpStatusCode status)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Encoding.ASCII.GetBytes("""{"message":"m"}""".PadRight(5_000_000 + more));

        (await sandbox.PostAsync(Path, Encodings.Encode("gzip", body), encoding: "gzip")).Status.ShouldBe(status);
        (await sandbox.PostAsync(Path, body)).Status.ShouldBe(status);
    }

    [Fact]
    public async Task ALogOfMoreThanAMegabyteIsShortenedAndListed()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(
            Path,
            new JsonObject { ["message"] = new string('m', 3_000_000), ["service"] = "s" }.ToJsonString()
        );

        reply.Status.ShouldBe(HttpStatusCode.Accepted);
        var log = (await sandbox.SearchAsync("logs", "service:s")).ShouldHaveSingleItem();
        log.GetProperty("message").GetString()!.Length.ShouldBe(1_000_000);
        (await sandbox.DroppedAsync()).ShouldBe(new Dictionary<string, int> { ["log_too_long"] = 1 });
    }

    [Fact]
    public async Task WhatIsShortenedEndsWithAWholeCharacter()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var log = new JsonObject { ["message"] = new string('m', 999_999) + "🙂" };
        var tag = "1" + new string('t', 198) + "🙂";

        await sandbox.PostAsync(Path, log.ToJsonString());
        await sandbox.PostAsync(Path, new JsonObject { ["message"] = "m", ["ddtags"] = tag }.ToJsonString());
        await sandbox.PostAsync(
            "/api/v1/events",
            new JsonObject
            {
                ["title"] = "t",
                ["text"] = "x",
                ["tags"] = new JsonArray(tag),
            }.ToJsonString()
        );

        var logs = await sandbox.SearchAsync("logs", "*");
        logs.Select(one => one.GetProperty("message").GetString()![^1]).ShouldBe(['m', 'm']);
        (await sandbox.GetAsync("/sandbox/dropped"))
            .Json.GetProperty("items")
            .EnumerateArray()
            .Select(item => item.GetProperty("detail").GetString()!)
            .ShouldAllBe(detail => !detail.Contains('\uFFFD'));
    }

    [Fact]
    public async Task LogsAreHeldWithinTheirMemoryAndTheOldestGoFirst()
    {
        await using var sandbox = await TestSandbox.StartAsync(options =>
            options with
            {
                Limits = new() { LogBytes = 100_000 },
            }
        );
        for (var i = 0; i < 5; i++)
        {
            await sandbox.PostAsync(
                Path,
                JsonSerializer.Serialize(new { message = $"{i}", text = new string('x', 40_000) })
            );
        }

        (await sandbox.SearchAsync("logs", "*"))
            .Select(log => log.GetProperty("message").GetString())
            .ShouldBe(["3", "4"]);
        (await sandbox.GetAsync("/sandbox/dropped"))
            .Json.GetProperty("evicted")
            .GetProperty("logs")
            .GetInt32()
            .ShouldBe(3);
    }
}
