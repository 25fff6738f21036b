using System.Globalization;
using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class SearchTests
{
    [Theory]
    [InlineData("*", "1 2 3")]
    [InlineData("", "1 2 3")]
    [InlineData("service:cart", "1 2")]
    [InlineData("service:ca*", "1 2")]
    [InlineData("service:(cart OR bill) -status:error", "1 3")]
    [InlineData("status:error", "2")]
    [InlineData("NOT status:error AND service:cart", "1")]
    [InlineData("@session:s-2", "2")]
    [InlineData("@session:S-2", "")]
    [InlineData("@http.code:>=500", "2")]
    [InlineData("@http.code:[200 TO 499]", "1")]
    [InlineData("@http.code:<200", "")]
    [InlineData("@duration:>1000000000", "3")]
    [InlineData("resource_name:\"GET /a b\"", "1")]
    [InlineData("resource_name:GET\\ /a\\ b", "1")]
    [InlineData("\"/a b\"", "1")]
    [InlineData("trace_id:72623859790382856 service:cart", "1 2")]
    [InlineData("trace_id:00000000000000000102030405060708 service:bill", "3")]
    [InlineData("(service:bill OR @session:s-2) env:test", "2 3")]
    [InlineData("span_id:2", "2")]
    [InlineData("host:node-1 @session:*", "1 2")]
    public async Task ASearchOfSpansFindsWhatItsTermsSay(string query, string found)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        OtlpSpan Span(byte id, string resource, int code, string? error = null) =>
            new()
            {
                SpanId = [0, 0, 0, 0, 0, 0, 0, id],
                Start = sandbox.Now - 10 + id,
                Error = error,
                Duration = id == 3 ? 2 : 0.1,
                Attributes =
                    id == 3
                        ? [("resource.name", resource)]
                        : [("resource.name", resource), ("session", $"s-{id}"), ("http.code", code)],
            };
        await sandbox.PostSpansAsync(
            OtlpSpan.Request("cart", Span(1, "GET /a b", 200), Span(2, "GET /c", 503, "late"))
        );
        await sandbox.PostSpansAsync(OtlpSpan.Request("bill", Span(3, "pay", 0)));

        string.Join(' ', (await sandbox.SearchAsync("spans", query)).Select(s => s.GetProperty("span_id").GetString()))
            .ShouldBe(found);
    }

    [Theory]
    [InlineData("failed", "1")]
    [InlineData("FAILED", "1")]
    [InlineData("session", "1 2")]
    [InlineData("\"session ready\"", "2")]
    [InlineData("session -failed", "2")]
    [InlineData("service:web status:(error OR warn)", "1")]
    [InlineData("@error.kind:Timeout", "1")]
    [InlineData("@dd.trace_id:77", "1 2")]
    [InlineData("trace_id:77", "1 2 3")]
    [InlineData("trace_id:0000000000000000000000000000004d", "1 2 3")]
    [InlineData("team:a", "1")]
    [InlineData("source:streamspace", "2")]
    [InlineData("@list:b", "1")]
    public async Task ASearchOfLogsFindsWhatItsTermsSay(string query, string found)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(
            "/api/v2/logs",
            """
            [{"message":"session failed","service":"web","status":"error","ddtags":"team:a","id":"1",
              "dd":{"trace_id":"77"},"error.kind":"Timeout","list":["a","b"]},
             {"message":"Session ready","service":"web","ddsource":"streamspace","dd.trace_id":"77","id":"2"},
             {"message":"other","id":"3","dd.trace_id":"0000000000000000000000000000004D"}]
            """
        );

        string.Join(
                ' ',
                (await sandbox.SearchAsync("logs", query)).Select(log =>
                    log.GetProperty("attributes").GetProperty("id").GetString()
                )
            )
            .ShouldBe(found);
    }

    [Theory]
    [InlineData("*", "1 2")]
    [InlineData("source:streamspace", "1")]
    [InlineData("status:error", "1")]
    [InlineData("env:prod host:node-*", "1")]
    [InlineData("\"no room\"", "1")]
    [InlineData("-@title:Session*", "2")]
    [InlineData("@aggregation_key:s-1", "1")]
    public async Task ASearchOfEventsFindsWhatItsTermsSay(string query, string found)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostAsync(
            "/api/v1/events",
            $$"""
            {"title":"Session failed","text":"no room","alert_type":"error","source_type_name":"streamspace","host":"node-1",
             "tags":["env:prod","n:1"],"aggregation_key":"s-1","date_happened":{{sandbox.Now - 5}}}
            """
        );
        await sandbox.PostAsync("/api/v1/events", """{"title":"Other","text":"x","tags":["n:2"]}""");

        var reply = await sandbox.PostAsync(
            "/api/v2/events/search",
            JsonSerializer.Serialize(
                new
                {
                    filter = new
                    {
                        query,
                        from = "now-1h",
                        to = "now",
                    },
                    sort = "timestamp",
                }
            )
        );

        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
        var events = reply.Json.GetProperty("data").EnumerateArray().ToArray();
        events.ShouldAllBe(item => item.GetProperty("type").GetString() == "event");
        string.Join(
                ' ',
                events.Select(item =>
                    item.GetProperty("attributes")
                        .GetProperty("tags")
                        .EnumerateArray()
                        .Select(tag => tag.GetString()!)
                        .Single(tag => tag.StartsWith("n:", StringComparison.Ordinal))[2..]
                )
            )
            .ShouldBe(found);
    }

    [Theory]
    [InlineData("timestamp")]
    [InlineData("-timestamp")]
    public async Task PagesHoldEachThingOnceInOrderAlsoWhereTimesAreEqual(string sort)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        for (var i = 0; i < 25; i++)
        {
            await sandbox.PostAsync(
                "/api/v2/logs",
                $$"""{"message":"{{i:00}}","timestamp":{{(sandbox.Now - (i / 10)) * 1000}}}"""
            );
        }
        var found = new List<string>();
        string? cursor = null;
        var pages = 0;
        do
        {
            var reply = await sandbox.PostAsync(
                "/api/v2/logs/events/search",
                JsonSerializer.Serialize(
                    new
                    {
                        filter = new
                        {
                            query = "*",
                            from = "now-1h",
                            to = "now",
                        },
                        sort,
                        page = new { limit = 7, cursor },
                    }
                )
            );
            reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
            found.AddRange(Messages(reply));
            cursor = reply.Json.GetProperty("meta").TryGetProperty("page", out var page)
                ? page.GetProperty("after").GetString()
                : null;
            pages++;
        } while (cursor is not null);

        pages.ShouldBe(4);
        found.Order().ShouldBe(Enumerable.Range(0, 25).Select(i => i.ToString("00", CultureInfo.InvariantCulture)));
        found[0].ShouldBe(sort == "timestamp" ? "20" : "09");
    }

    [Fact]
    public async Task TheLinkToTheNextPageLeadsThere()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        for (byte i = 1; i <= 3; i++)
        {
            await sandbox.PostSpansAsync(
                OtlpSpan.Request("a", new OtlpSpan { SpanId = [0, 0, 0, 0, 0, 0, 0, i], Start = sandbox.Now - i })
            );
        }
        var first = await sandbox.PostAsync(
            "/api/v2/spans/events/search",
            """
            {"data":{"type":"search_request","attributes":{"filter":{"query":"service:a","from":"now-1h","to":"now"},
             "page":{"limit":2},"sort":"-timestamp"}}}
            """
        );
        first.Json.GetProperty("data").GetArrayLength().ShouldBe(2);
        first.Json.GetProperty("data")[0].GetProperty("type").GetString().ShouldBe("spans");

        var next = await sandbox.GetAsync(first.Json.GetProperty("links").GetProperty("next").GetString()!);

        next.Json.GetProperty("data")[0].GetProperty("attributes").GetProperty("span_id").GetString().ShouldBe("3");
        next.Json.TryGetProperty("links", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("filter[query]=service:", HttpStatusCode.BadRequest, "expected a word")]
    [InlineData("filter[query]=(a", HttpStatusCode.BadRequest, "close the parenthesis")]
    [InlineData("filter[query]=a)", HttpStatusCode.BadRequest, "parenthesis")]
    [InlineData("filter[query]=%22a", HttpStatusCode.BadRequest, "quotation mark")]
    [InlineData("filter[query]=@a:[1 2]", HttpStatusCode.BadRequest, "TO")]
    [InlineData("filter[from]=yesterday", HttpStatusCode.BadRequest, "filter.from")]
    [InlineData("filter[from]=now-99999999999999d", HttpStatusCode.BadRequest, "filter.from")]
    [InlineData("page[limit]=0", HttpStatusCode.BadRequest, "page.limit")]
    [InlineData("page[limit]=1001", HttpStatusCode.BadRequest, "1000")]
    [InlineData("page[cursor]=no", HttpStatusCode.BadRequest, "page.cursor")]
    [InlineData("sort=name", HttpStatusCode.BadRequest, "sort")]
    [InlineData("filter[from]=now&filter[to]=now-1m", HttpStatusCode.UnprocessableEntity, "from")]
    public async Task ABadSearchIsRefusedByItsField(string query, HttpStatusCode status, string error)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var what in new[] { "spans", "logs" })
        {
            var reply = await sandbox.GetAsync($"/api/v2/{what}/events?{query}");

            reply.Status.ShouldBe(status);
            reply.Text.ShouldContain(error);
        }
    }

    [Fact]
    public async Task AQueryOfManyLevelsOrTermsIsRefusedAndCostsNothing()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (
            var query in new[]
            {
                new string('(', 1_000),
                new string('-', 1_000) + "a",
                string.Join(' ', Enumerable.Repeat("a", 1_000)),
            }
        )
        {
            var reply = await sandbox.GetAsync($"/api/v2/logs/events?filter[query]={query}");
            reply.Status.ShouldBe(HttpStatusCode.BadRequest);
            reply.Error.ShouldContain("more than");
        }
    }

    [Fact]
    public async Task SearchingNeedsBothKeys()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Remove("DD-APPLICATION-KEY");
        foreach (var list in new[] { "spans/events", "logs/events", "events" })
        {
            (await sandbox.GetAsync($"/api/v2/{list}")).Status.ShouldBe(HttpStatusCode.Forbidden);
            (await sandbox.PostAsync($"/api/v2/{list}/search", "{}")).Status.ShouldBe(HttpStatusCode.Forbidden);
        }
    }

    private static IEnumerable<string> Messages(Reply reply) =>
        reply
            .Json.GetProperty("data")
            .EnumerateArray()
            .Select(log => log.GetProperty("attributes").GetProperty("message").GetString()!);
}
