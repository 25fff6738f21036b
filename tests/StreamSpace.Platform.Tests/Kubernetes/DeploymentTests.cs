using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>StreamSpace 2 by its deployments and pods alone.</summary>
public sealed class DeploymentTests : IAsyncLifetime
{
    private readonly HurriedClock _clock = new(Some.Morning);
    private FakeCluster _cluster = null!;
    private FakeAgent _agent = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await FakeCluster.StartAsync(_clock);
        _agent = new FakeAgent(_cluster);
    }

    // Whoever is attached takes the cluster along.
    public ValueTask DisposeAsync()
    {
        _cluster.Complaints.ShouldBeEmpty();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task ASessionRunsOnceItsPodIsReadySleepsWithoutReplicasAndEndsWithItsDeployment()
    {
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        var pod = _agent.Start("a");
        await SettledAsync(attached);
        attached.State("a").ShouldBe(SessionState.Requested);

        _agent.Ready("a", pod);
        await attached.UntilAsync(() => attached.State("a") is SessionState.Running, "it runs");
        _agent.Hibernate("a", pod);
        await attached.UntilAsync(() => attached.State("a") is SessionState.Hibernated, "it sleeps");
        pod = _agent.Wake("a");
        _cluster.Ready(pod);
        await attached.UntilAsync(() => attached.State("a") is SessionState.Running, "it is awake");
        _agent.Stop("a", pod);
        await attached.UntilAsync(() => attached.State("a") is SessionState.Ended, "it has ended");

        await SettledAsync(attached);
        attached.Told("a").ShouldBe("Created Started Hibernated Woken Ended");
        attached.Active.ShouldBe(0, "the resource says running for ever");
    }

    [Fact]
    public async Task WhatIsLeftOfSessionsThatEndedIsNoSession()
    {
        _agent.LeaveResource("ended");
        _agent.Run("here");
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        await SettledAsync(attached);

        attached.State("ended").ShouldBeNull();
        attached.State("here").ShouldBe(SessionState.Running);
        attached.Facts.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatEndedWhileNobodyLookedHasEnded()
    {
        var pod = _agent.Run("gone");
        _agent.Run("here");
        _cluster.RunSession("of version 1");
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        await attached.UntilAsync(() => attached.Active == 3, "three are active");
        await attached.StopAsync();

        _agent.Stop("gone", pod);
        _cluster.Expire();
        await attached.WatchingAsync();
        await SettledAsync(attached);

        attached.Active.ShouldBe(2);
        attached.Told("gone").ShouldBe("Found Ended");
    }

    [Fact]
    public async Task SessionsOfOneUserAndTemplateHavePodsOfTheirOwn()
    {
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        _agent.Run("ready");
        _agent.Start("unready");
        await attached.UntilAsync(() => attached.State("ready") is SessionState.Running, "the one is ready");
        await SettledAsync(attached);

        attached.State("unready").ShouldBe(SessionState.Requested);
    }

    [Fact]
    public async Task UsageIsJoinedToTheSessionAndItsOwnHome()
    {
        await using var attached = new Attached(_cluster, _clock, new() { Storage = true });
        await attached.WatchingAsync();
        _cluster.Use(_agent.Run("a"), "1", "512Mi");
        _cluster.Fill("a-home", 4096);
        _cluster.Fill("home-ada", 1);

        await attached.UntilAsync(
            () => attached.Usages.Any(u => u is { Id: "a", Usage: { CpuPercent: 50, StorageBytes: 4096 } }),
            "it is measured"
        );
    }

    [Fact]
    public async Task WithoutTheRightOnDeploymentsTheStatusSaysWhatIsMissedAndTheRestGoesOn()
    {
        _cluster.Forbid("deployments");
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        _cluster.RunSession("of version 1");
        await attached.UntilAsync(() => attached.Active == 1, "version 1 is seen");

        attached.Status.State.ShouldBe(SourceState.Up);
        attached.Status.Detail.ShouldContain("Deployments in streamspace (sessions of version 2)");
        attached.Status.Detail.ShouldContain("resources: [\"deployments\"]");
    }

    [Fact]
    public async Task WithoutTheDefinitionOfVersionOneItIsUpOnceDeploymentsTellAll()
    {
        _cluster.Remove("sessions");
        await using var attached = new Attached(_cluster, _clock);
        await attached.StartAsync();
        await attached.UntilAsync(
            () => attached.Status.Detail.Contains("Install StreamSpace's resource definitions"),
            "nothing of either version is seen"
        );
        attached.Status.State.ShouldBe(SourceState.Connecting);

        _agent.Run("a");
        await attached.UntilAsync(() => attached.Status.State is SourceState.Up, "version 2 is seen");

        attached.Status.Detail.ShouldNotContain("Install");
        await attached.UntilAsync(() => attached.State("a") is SessionState.Running, "it runs");
    }

    [Fact]
    public async Task OfVersionTwoNothingIsHeardWhileDeploymentsCannotBeSeen()
    {
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        _agent.Run("a");
        await attached.UntilAsync(() => attached.Active == 1, "it runs");

        _cluster.Forbid("deployments");
        _cluster.CutWatches();
        await attached.UntilAsync(() => attached.Status.State is SourceState.Down, "its sessions are not seen");
        _cluster.Allow("deployments");
        await attached.UntilAsync(() => attached.Status.State is SourceState.Up, "they are seen again");
    }

    [Theory]
    [InlineData("deployments", SourceState.Down)]
    [InlineData("pods", SourceState.Up)]
    public async Task AWatchOfEitherThatSaysNothingIsListedAgainAndToldForWhatItCosts(string kind, SourceState state)
    {
        await using var attached = await new Attached(_cluster, _clock).WatchingAsync();
        _agent.Run("a");
        await attached.UntilAsync(() => attached.Active == 1, "it runs");

        _cluster.ClosesWatches = closed => closed == kind;
        _cluster.EndWatches();
        await attached.UntilAsync(() => attached.Status.Detail.Contains("closed at once"), "it is told");
        attached.Status.State.ShouldBe(state);
        _agent.Run("b");
        await attached.UntilAsync(() => attached.State("b") is SessionState.Running, "it is seen in a list");

        _cluster.ClosesWatches = null;
        await attached.UntilAsync(() => !attached.Status.Detail.Contains("closed at once"), "a watch that lasts");
        attached.Status.State.ShouldBe(SourceState.Up);
    }

    // Deployments are watched beside sessions and pods.
    private async Task SettledAsync(Attached attached)
    {
        await attached.SettledAsync();
        var marker = $"marker-{Guid.NewGuid():N}";
        var pod = _agent.Run(marker);
        await attached.UntilAsync(() => attached.State(marker) is SessionState.Running, $"{marker} is seen");
        _agent.Stop(marker, pod);
        await attached.UntilAsync(() => attached.State(marker) is SessionState.Ended, $"{marker} has ended");
    }
}
