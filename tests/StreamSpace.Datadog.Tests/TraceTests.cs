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
    public async Task AStartThatFailsIsAnErrorWithItsKindAndThePlatformsWords()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now.AddSeconds(-60), state: SessionState.Requested);
        await run.HandleAsync(Some.Created(session), Some.Failed(session, run.Now, "no such template"));
        await run.FlushAsync();
        var root = (await run.SpansAsync()).Single(span => Text(span, "parent_id") == "0");
        Name(root).ShouldBe("streamspace.session.start");
        root.GetProperty("custom").GetProperty("error").GetProperty("message").GetString().ShouldBe("no such template");
        root.GetProperty("custom").GetProperty("error").GetProperty("type").GetString().ShouldBe("other");
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

    private static string Name(JsonElement span) => Custom(span, "operation_name") ?? Text(span, "operation_name");

    private static string Text(JsonElement span, string name) =>
        span.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static string? Custom(JsonElement span, string name) =>
        span.GetProperty("custom").TryGetProperty(name, out var value) ? value.ToString() : null;

    private static double Seconds(JsonElement span) =>
        double.Parse(Custom(span, "duration")!, CultureInfo.InvariantCulture) / 1e9;
}
