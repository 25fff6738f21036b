using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

public sealed class DestinationTests
{
    [Fact]
    public async Task WhatWasQueuedForOneDestinationNeverGoesToAnother()
    {
        await using var rig = await Rig.StartAsync(o => o with { Destination = "sandbox", ApiKey = null });
        await rig.KeepAsync([Some.Count("demo.made")], [new("Demo", "", rig.Clock.GetUtcNow())]);
        using var gauge = rig.Pipeline.Gauge("demo.level", []);
        gauge.Set(1);

        var real = rig.Options with { Destination = "datadog", ApiKey = Secret.ApiKey };
        await rig.ConfigureAsync(real);
        await rig.KeepAsync(Some.Count("real.made"));
        await rig.FlushAsync();
        await rig.Until(() => rig.FarEnd.Requests.Count == 1);
        rig.FarEnd.Series.ShouldHaveSingleItem().Metric.ShouldBe("real.made");

        await rig.ConfigureAsync(real with { Destination = "sandbox" });
        await rig.UntilSent();
        rig.FarEnd.Series.Select(s => s.Metric).ShouldBe(["real.made", "demo.level", "demo.made"], ignoreOrder: true);
    }

    [Fact]
    public async Task AJournalFromAnotherDestinationStaysForIt()
    {
        await using var rig = await Rig.StartAsync(o => o with { Destination = "sandbox" });
        await rig.KeepAsync(Some.Count("demo.made"));
        await rig.RestartAsync(o => o with { Destination = "datadog" });
        await rig.KeepAsync(Some.Count("real.made"));
        await rig.FlushAsync();
        await rig.Until(() => rig.FarEnd.Requests.Count == 1);
        rig.FarEnd.Series.ShouldHaveSingleItem().Metric.ShouldBe("real.made");
        await rig.Until(() => rig.Pipeline.Status.Queue.Requests == 1);
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 1, queued: 1);
    }

    [Fact]
    public async Task WhatWasQueuedUnderOneKeyGoesToTheNextPlaceUnderItsKeyAlone()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync(Some.Count("app.made"));
        await rig.FlushAsync();
        await rig.Until(() => rig.FarEnd.Requests.Count > 0);
        rig.FarEnd.Requests.ShouldAllBe(r => r.Key == Secret.ApiKey);

        var next = new Uri(rig.FarEnd.Url, "/next");
        await rig.ConfigureAsync(rig.Options with { IntakeUrl = next, ApiKey = Secret.Wrong });
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.UntilSent();
        var there = rig.FarEnd.Requests.Where(r => r.Path.StartsWith("/next/", StringComparison.Ordinal)).ToList();
        there.ShouldNotBeEmpty();
        there.ShouldAllBe(r => r.Key == Secret.Wrong);
        rig.FarEnd.Requests.Except(there).ShouldAllBe(r => r.Key == Secret.ApiKey);
    }
}
