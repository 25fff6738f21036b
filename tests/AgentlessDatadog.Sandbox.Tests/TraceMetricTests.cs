using System.Net;
using System.Text;
using FsCheck.Xunit;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class TraceMetricTests
{
    private const string Operation = "shop.request";

    [Fact]
    public async Task HitsAndErrorsEqualTheEntrySpansPerServiceAndResourceOverRequests()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        for (var request = 0; request < 3; request++)
        {
            await sandbox.PostSpansAsync(
                OtlpSpan.Request(
                    "cart",
                    Span(sandbox, "GET /a"),
                    Span(sandbox, "GET /a", "broken"),
                    Span(sandbox, "GET /b")
                )
            );
            await sandbox.PostSpansAsync(OtlpSpan.Request("bill", Span(sandbox, "GET /a")));
        }

        (await SumsAsync(sandbox, "hits")).ShouldBe(
            new Dictionary<string, double>
            {
                ["service:cart,resource_name:get_/a"] = 6,
                ["service:cart,resource_name:get_/b"] = 3,
                ["service:bill,resource_name:get_/a"] = 3,
            },
            ignoreOrder: true
        );
        (await SumsAsync(sandbox, "errors"))["service:cart,resource_name:get_/a"].ShouldBe(3);
        (await SumsAsync(sandbox, "errors"))["service:cart,resource_name:get_/b"].ShouldBe(0);
    }

    [Property(MaxTest = 40)]
    public async Task HitsAndErrorsEqualTheEntrySpansThatAreTakenWhateverIsSent(
        (byte Service, byte Resource, byte Kind, bool IsRoot, bool IsError, byte Age)[][] requests
    )
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var taken = new List<(string Group, bool IsError)>();
        foreach (var (spans, at) in requests.Select((spans, at) => (spans, at)))
        {
            var isAsked = at % 5 != 4;
            var service = $"s{spans.FirstOrDefault().Service % 3}";
            var sent = spans
                .Select(span =>
                    Span(sandbox, $"r{span.Resource % 4}", span.IsError ? "broken" : null) with
                    {
                        Kind = 1 + (span.Kind % 5),
                        ParentId = span.IsRoot ? [] : [1, 1, 1, 1, 1, 1, 1, 1],
                        // Up to 28 hours.
                        Start = sandbox.Now - 1 - (span.Age * 400),
                    }
                )
                .ToArray();
            var reply =
                at % 2 == 0
                    ? await sandbox.PostSpansAsync(OtlpSpan.Request(service, sent), isAsked)
                    : await PostJsonAsync(sandbox, OtlpSpan.Json(service, sent), isAsked);
            reply.Status.ShouldBe(HttpStatusCode.Accepted, reply.Text);
            taken.AddRange(
                sent.Where(span => isAsked && sandbox.Now - span.Start <= 18 * 3_600)
                    .Where(span => span.ParentId.Length == 0 || span.Kind != 1)
                    .Select(span =>
                        ($"service:{service},resource_name:{span.Attributes[1].Value}", span.Error is not null)
                    )
            );
        }

        (await SumsAsync(sandbox, "hits")).ShouldBe(
            taken.GroupBy(span => span.Group).ToDictionary(group => group.Key, group => (double)group.Count()),
            ignoreOrder: true
        );
        (await SumsAsync(sandbox, "errors")).ShouldBe(
            taken
                .GroupBy(span => span.Group)
                .ToDictionary(group => group.Key, group => (double)group.Count(span => span.IsError)),
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task LatencyIsADistributionInSeconds()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostSpansAsync(
            OtlpSpan.Request(
                "cart",
                Span(sandbox, "GET /a") with
                {
                    Duration = 0.5,
                },
                Span(sandbox, "GET /a") with
                {
                    Duration = 1.5,
                }
            )
        );

        (await sandbox.ValueAsync($"avg:trace.{Operation}{{service:cart,env:test}}")).ShouldBe(1);
        (await sandbox.ValueAsync($"max:trace.{Operation}{{*}}")).ShouldBe(1.5);
        (await sandbox.GetAsync($"/api/v1/metrics/trace.{Operation}")).Text.ShouldContain("\"unit\":\"second\"");
    }

    [Theory]
    [InlineData(1, true, false)]
    [InlineData(1, false, true)]
    [InlineData(2, true, true)]
    [InlineData(5, true, true)]
    [InlineData(3, true, true)]
    [InlineData(4, true, true)]
    public async Task RootsAndWhatComesInOrGoesOutIsCountedAndWhatIsInternalIsNot(int kind, bool hasParent, bool counts)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PostSpansAsync(
            OtlpSpan.Request(
                "cart",
                Span(sandbox, "GET /a") with
                {
                    Kind = kind,
                    ParentId = hasParent ? [1, 1, 1, 1, 1, 1, 1, 1] : [],
                }
            )
        );

        (await sandbox.ValueAsync($"sum:trace.{Operation}.hits{{*}}")).ShouldBe(counts ? 1 : null);
    }

    [Fact]
    public async Task NobodyWhoDoesNotAskHasMetrics()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PostSpansAsync(OtlpSpan.Request("cart", Span(sandbox, "GET /a")), computeStats: false);

        (await sandbox.ValueAsync($"sum:trace.{Operation}.hits{{*}}")).ShouldBeNull();
        (await sandbox.SearchAsync("spans", "*")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task ASpanOfHoursAgoCountsWhenItComesAndNothingIsDropped()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PostSpansAsync(
            OtlpSpan.Request("cart", Span(sandbox, "GET /a") with { Start = sandbox.Now - 36_000 })
        );

        (await sandbox.ValuesAsync($"sum:trace.{Operation}.hits{{*}}", from: sandbox.Now - 60)).ShouldNotBeEmpty();
        (await sandbox.DroppedAsync()).ShouldBeEmpty();
    }

    private static Task<Reply> PostJsonAsync(TestSandbox sandbox, string body, bool isAsked)
    {
        var content = new StringContent(body, Encoding.UTF8, "application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces") { Content = content };
        request.Headers.Add("compute_stats", isAsked ? "true" : "false");
        return sandbox.SendAsync(request);
    }

    private static OtlpSpan Span(TestSandbox sandbox, string resource, string? error = null) =>
        new()
        {
            Start = sandbox.Now - 5,
            Error = error,
            Attributes = [("operation.name", Operation), ("resource.name", resource)],
        };

    private static async Task<Dictionary<string, double>> SumsAsync(TestSandbox sandbox, string suffix) =>
        (await sandbox.ValuesAsync($"sum:trace.{Operation}.{suffix}{{*}} by {{service,resource_name}}")).ToDictionary(
            group => group.Key,
            group => group.Value.Sum()
        );
}
