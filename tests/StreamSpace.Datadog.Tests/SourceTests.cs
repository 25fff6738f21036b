using System.Text.Json;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>Whether the picture is whole, and the platform's own trouble.</summary>
public sealed class SourceTests
{
    private const string Up = "max:streamspace.source.up{*} by {source}";

    [Fact]
    public async Task EachSourceIsOneWhileItIsHeardAndZeroWhileItIsNotFromTheStartOn()
    {
        await using var run = await PluginRun.StartAsync();
        run.Host.Sources = [Source("kubernetes", SourceState.Up), Source("nats", SourceState.Connecting)];
        await run.FlushAsync();
        (await run.LastAsync(Up)).ShouldBe(
            new Dictionary<string, double> { ["source:kubernetes"] = 1, ["source:nats"] = 0 },
            ignoreOrder: true
        );

        run.Host.Sources = [Source("kubernetes", SourceState.Down), Source("streamspace-api", SourceState.Down)];
        await run.FlushAsync();
        var last = await run.LastAsync(Up);
        (last["source:kubernetes"], last["source:streamspace-api"]).ShouldBe((0, 0));
        // One that there is no more is silent.
        (await run.PointsAsync(Up))["source:nats"]
            .Count.ShouldBe(1);
    }

    [Fact]
    public async Task AnApiThatCanMakeNoSessionsIsOneEventAtItsBeginAndOneAtItsEnd()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAloneAsync(
            new ApiFailed("Its users can make no sessions.", "Restart it.", run.Now.AddMinutes(-2)) { Id = "f" },
            new ApiRecovered(run.Now.AddMinutes(-2), run.Now) { Id = "r" }
        );
        await run.ShippedAsync();

        var events = (await run.EventsAsync())
            .Select(e => (Title: Text(e, "title"), Alert: Text(e, "alert_type"), Says: Text(e, "text")))
            .Where(e => e.Title.StartsWith("StreamSpace "))
            .ToList();
        events
            .Select(e => (e.Title, e.Alert))
            .ShouldBe(
                [("StreamSpace Cannot Make Sessions", "error"), ("StreamSpace Makes Sessions Again", "success")],
                ignoreOrder: true
            );
        events.ShouldContain(e => e.Says.Contains("Its users can make no sessions. Restart it."));
        events.ShouldContain(e => e.Says.Contains("after 2 min 0 s"));
    }

    private static string Text(JsonElement e, string name) => e.GetProperty(name).GetString()!;

    private static SourceStatus Source(string name, SourceState state) =>
        new(name, state, "", DateTimeOffset.UnixEpoch);
}
