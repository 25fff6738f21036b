using System.Globalization;
using System.Text.Json;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What sessions go through is told as traces, complete and short.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task AStartIsOneTraceFromTheRequestToReadyWithItsPhasesBelow()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"globalTags":["service:desktops","env:test","version:7"]}"""
        );
        var session = Some.Session("s1", run.Now.AddSeconds(-8)) with { Platform = "kubernetes" };
        await run.HandleAsync(Some.Created(session), Some.Started(session, run.Now));
        await run.FlushAsync();

        var spans = await run.SpansAsync();
        var root = spans.Single(span => Text(span, "parent_id") == "0");
        Name(root).ShouldBe("streamspace.session.start");
        (Text(root, "service"), Text(root, "resource_name"), Text(root, "env")).ShouldBe(
            ("desktops", "chrome", "test")
        );
        Seconds(root).ShouldBe(8);
        Custom(root, "session").ShouldBe("s1");
        Custom(root, "user").ShouldBe("ada");
        Custom(root, "template").ShouldBe("chrome");
        Custom(root, "platform").ShouldBe("kubernetes");
        Text(root, "host").ShouldBe(Environment.MachineName, StringCompareShould.IgnoreCase);

        var phases = spans.Where(span => span.GetRawText() != root.GetRawText()).ToList();
        phases.Select(Name).ShouldBe(["streamspace.session.requested", "streamspace.session.starting"]);
        phases.ShouldAllBe(span => Text(span, "parent_id") == Text(root, "span_id"));
        phases.ShouldAllBe(span => Text(span, "trace_id") == Text(root, "trace_id"));
        phases.Sum(Seconds).ShouldBe(Seconds(root));
    }

    [Fact]
    public async Task ALifeIsToldInTracesOfItsOwnThatLinkToItsStart()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Life("s1", run.Now.AddMinutes(-10)));
        await run.FlushAsync();

        var spans = await run.SpansAsync();
        spans.Select(span => Text(span, "span_id")).ShouldBeUnique();
        spans.ShouldAllBe(span => Custom(span, "session") == "s1" && Text(span, "resource_name") == "chrome");
        var roots = spans.FindAll(span => Text(span, "parent_id") == "0");
        roots.Select(root => Text(root, "trace_id")).ShouldBeUnique();
        roots
            .Select(root => (Name(root), Seconds(root), Text(root, "service")))
            .ShouldBe([
                ("streamspace.session.start", 8, "streamspace"),
                ("streamspace.session.run", 52, "streamspace-sessions"),
                ("streamspace.session.sleep", 60, "streamspace-sessions"),
                ("streamspace.session.run", 30, "streamspace-sessions"),
                ("streamspace.session.end", 2, "streamspace"),
            ]);
        roots
            .Select(root => Text(root, "status") == "error" ? ErrorOf(root, "message") : null)
            .ShouldBe([null, null, null, "out of memory", null]);
        spans
            .Except(roots)
            .ShouldAllBe(child => roots.Exists(root => Text(root, "span_id") == Text(child, "parent_id")));
    }

    [Fact]
    public async Task ARunOfThreeWeeksIsCutToWhatDatadogTakesAndSaysHowLongItWas()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now.AddDays(-21)) with { StartedAt = run.Now.AddDays(-21) };
        await run.HandleAsync(
            Some.Ended(session, run.Now) with
            {
                Passed = [new(SessionState.Running, session.CreatedAt!.Value, run.Now)],
            }
        );
        await run.FlushAsync();
        var root = (await run.SpansAsync()).Single(span => Name(span) == "streamspace.session.run");
        Seconds(root).ShouldBe(TimeSpan.FromHours(17).TotalSeconds);
        Custom(root, "seconds").ShouldBe(TimeSpan.FromDays(21).TotalSeconds.ToString(CultureInfo.InvariantCulture));
        Custom(root, "cut").ShouldBe("True", StringCompareShould.IgnoreCase);
        Balance(run).ShouldBe((2, 2, 0));
    }

    [Theory]
    [InlineData(-1, 2, 0)]
    [InlineData(1, 2, 0)]
    [InlineData(3, 0, 2)]
    [InlineData(-19, 0, 2)]
    public async Task AClockThatIsOffCostsNoMoreThanSpansThatDatadogWouldDropAndTheLedgerTells(
        int hours,
        int delivered,
        int rejected
    )
    {
        await using var run = await PluginRun.StartAsync();
        var ended = run.Now.AddHours(hours);
        var session = Some.Session("s1", ended.AddMinutes(-1)) with { StartedAt = ended.AddMinutes(-1) };
        await run.HandleAsync(
            Some.Ended(session, ended) with
            {
                Passed = [new(SessionState.Running, session.CreatedAt!.Value, ended)],
            }
        );
        await run.FlushAsync();
        Balance(run).ShouldBe((2, delivered, rejected));
        (await run.GetAsync("/sandbox/dropped")).ToString().ShouldNotContain("\"span\"");
    }

    [Fact]
    public async Task ATemplateNamedLikeAPathIsAResourceAndNothingMore()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now.AddSeconds(-8), template: "../../x");
        await run.HandleAsync(Some.Created(session), Some.Started(session, run.Now));
        await run.FlushAsync();
        var spans = await run.SpansAsync();
        spans.Count.ShouldBe(3);
        spans.ShouldAllBe(span => Text(span, "resource_name") == "../../x" && Text(span, "service") == "streamspace");
    }

    [Fact]
    public async Task AStartThatFailsIsAnErrorWithItsKindAndThePlatformsWords()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now.AddSeconds(-60), state: SessionState.Requested);
        await run.HandleAsync(Some.Created(session), Some.Failed(session, run.Now, "no such template"));
        await run.FlushAsync();
        var root = (await run.SpansAsync()).Single(span => Text(span, "parent_id") == "0");
        Name(root).ShouldBe("streamspace.session.start");
        ErrorOf(root, "message").ShouldBe("no such template");
        ErrorOf(root, "type").ShouldBe("other");
        Custom(root, "reason").ShouldBe("other");
    }

    [Theory]
    [InlineData("""{"site":"sandbox","metricsInterval":10,"enableTraces":false}""")]
    [InlineData("""{"site":"sandbox","metricsInterval":10,"traceSampleRate":0}""")]
    public async Task TracesThatAreSwitchedOffAreNotKeptForLater(string off)
    {
        await using var run = await PluginRun.StartAsync(off);
        var session = Some.Session("s1", run.Now.AddSeconds(-8));
        await run.HandleAsync(Some.Created(session), Some.Started(session, run.Now));
        (await run.ConfigureAsync("""{"site":"sandbox","metricsInterval":10}""")).ShouldBeEmpty();
        await run.FlushAsync();
        (await run.SpansAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task ASharesSessionsAreTheSameWhoeverAsks()
    {
        const string half = """{"site":"sandbox","metricsInterval":10,"traceSampleRate":0.5}""";
        await using var run = await PluginRun.StartAsync(half);
        var created = run.Now.AddSeconds(-8);
        var sessions = Enumerable.Range(0, 100).Select(i => Some.Session($"s{i}", created)).ToList();
        await run.HandleAsync([.. sessions.Select(s => Some.Started(s, run.Now))]);
        await run.FlushAsync();
        var first = Sessions(await run.SpansAsync());
        first.Count.ShouldBeInRange(30, 70);

        await run.ReplaceAsync(isUnloaded: true);
        (await run.ConfigureAsync(half)).ShouldBeEmpty();
        await run.HandleAsync([.. sessions.Select(s => Some.Failed(s, run.Now, "gone"))]);
        await run.FlushAsync();
        Sessions(await run.SpansAsync()).ShouldBe(first, ignoreOrder: true);

        static List<string?> Sessions(List<JsonElement> spans) =>
            [.. spans.Select(span => Custom(span, "session")).Distinct()];
    }

    private static (long Accepted, long Delivered, long Rejected) Balance(PluginRun run)
    {
        var ledger = run.Plugin.Status["lanes"]!
            .AsArray()
            .Single(lane => lane!["lane"]!.GetValue<string>() == "traces")!["ledger"]!.AsObject();
        long Of(string account) => ledger[account]!.GetValue<long>();
        Of("accepted")
            .ShouldBe(new[] { "delivered", "queued", "overflowed", "expired", "rejected", "uncertain" }.Sum(Of));
        ledger["reasons"]!.AsObject().Sum(reason => reason.Value!.GetValue<long>()).ShouldBe(Of("rejected"));
        return (Of("accepted"), Of("delivered"), Of("rejected"));
    }

    private static string Name(JsonElement span) => Text(span, "operation_name");

    private static string? ErrorOf(JsonElement span, string what) =>
        span.GetProperty("custom").GetProperty("error").GetProperty(what).GetString();

    private static string Text(JsonElement span, string name) =>
        span.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static string? Custom(JsonElement span, string name) =>
        span.GetProperty("custom").TryGetProperty(name, out var value) ? value.ToString() : null;

    private static double Seconds(JsonElement span) =>
        double.Parse(Custom(span, "duration")!, CultureInfo.InvariantCulture) / 1e9;
}
