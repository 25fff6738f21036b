using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>Agents of StreamSpace 2, and what waits for them.</summary>
public sealed class AgentTests
{
    private const string Online = "max:streamspace.agents.online{*}";
    private const string Age = "max:streamspace.agent.heartbeat_age{*} by {agent}";

    [Fact]
    public async Task AnAgentIsOnlineWhileItIsConnectedAndHeardAndItsAgeGrowsThoughNothingNewIsTold()
    {
        await using var run = await PluginRun.StartAsync();
        run.Plugin.Apply(
            new PlatformState
            {
                Agents =
                [
                    new PlatformAgent("k8s-1", "kubernetes", Connected: true, run.Now),
                    new PlatformAgent("k8s-2", "kubernetes", Connected: false, run.Now.AddSeconds(-600)),
                    new PlatformAgent("new", "docker", Connected: false, HeardAt: null),
                ],
            }
        );
        await run.FlushAsync();
        (await run.LastAsync(Online)).Values.ShouldBe([1]);
        (await run.LastAsync(Age)).ShouldBe(
            new Dictionary<string, double> { ["agent:k8s-1"] = 10, ["agent:k8s-2"] = 610 },
            ignoreOrder: true
        );

        for (var flush = 0; flush < 9; flush++)
        {
            await run.FlushAsync();
        }
        (await run.LastAsync(Online)).Values.ShouldBe([0]);
        (await run.LastAsync(Age))["agent:k8s-1"].ShouldBe(100);
    }

    [Fact]
    public async Task WhereThereAreNoneByDesignNothingIsSaidAndAnAgentThatIsGoneIsSilent()
    {
        await using var run = await PluginRun.StartAsync();
        run.ApplySnapshot(Some.Session("s1", run.Now));
        await run.FlushAsync();
        (await run.LastAsync(Online)).ShouldBeEmpty();

        run.Plugin.Apply(new PlatformState { Agents = [new PlatformAgent("gone", null, Connected: true, run.Now)] });
        await run.FlushAsync();
        run.Plugin.Apply(new PlatformState { Agents = [] });
        await run.FlushAsync();
        await run.FlushAsync();

        (await run.LastAsync(Online)).Values.ShouldBe([0]);
        (await run.PointsAsync(Age)).Values.ShouldHaveSingleItem().Count.ShouldBe(1);
    }

    [Fact]
    public async Task WhatWaitsIsCountedWithTheAgeOfTheOldest()
    {
        await using var run = await PluginRun.StartAsync();
        var old = Some.Session("s1", run.Now.AddSeconds(-90), state: SessionState.Requested);
        var late = Some.Session("s2", run.Now, state: SessionState.Requested);
        await run.HandleAsync(Some.Created(old), Some.Created(late));
        await run.FlushAsync();
        (await run.LastAsync("max:streamspace.sessions.pending{*}")).Values.ShouldBe([2]);
        (await run.LastAsync("max:streamspace.sessions.pending_age{*}")).Values.ShouldBe([100]);

        run.Apply(old with { State = SessionState.Running }, late with { State = SessionState.Running });
        await run.FlushAsync();
        (await run.LastAsync("max:streamspace.sessions.pending{*}")).Values.ShouldBe([0]);
        (await run.LastAsync("max:streamspace.sessions.pending_age{*}")).Values.ShouldBe([0]);
    }
}
