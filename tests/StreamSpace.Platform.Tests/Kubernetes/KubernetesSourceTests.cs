using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

public sealed class KubernetesSourceTests : IAsyncLifetime
{
    private readonly HurriedClock _clock = new(Some.Morning);
    private FakeCluster _cluster = null!;
    private Attached _attached = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await FakeCluster.StartAsync(_clock);
        _attached = new Attached(_cluster, _clock);
    }

    public async ValueTask DisposeAsync()
    {
        _cluster.Complaints.ShouldBeEmpty();
        await _attached.DisposeAsync();
    }

    [Fact]
    public async Task AFirstLookIsABaselineAndNotABurstOfCreated()
    {
        _cluster.RunSession("a");
        _cluster.CreateSession("b", "bob");
        _cluster.Want("b", "hibernated");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();

        _attached.Told("a").ShouldBe("Found");
        _attached.State("a").ShouldBe(SessionState.Running);
        _attached.State("b").ShouldBe(SessionState.Hibernated);
        _attached.Session("b")!.User.Name.ShouldBe("bob");
        _attached.Active.ShouldBe(1);
    }

    [Theory]
    [InlineData("TemplateResolved", "TemplateNotFound", FailureCause.Template)]
    [InlineData("DeploymentReady", "DeploymentCreationFailed", FailureCause.Other)]
    public async Task WithoutAPhaseAConditionThatIsNotMetIsAFailure(string type, string reason, FailureCause cause)
    {
        await _attached.WatchingAsync();
        _cluster.CreateSession("a", template: "nowhere");
        _cluster.Fail("a", type, reason, "no such thing");
        await _attached.SettledAsync();

        _attached.Told("a").ShouldBe("Created Failed");
        _attached.Active.ShouldBe(0);
        _attached.Session("a")!.AwakeSince.ShouldBeNull();
        var failed = _attached.Facts.OfType<SessionFailed>().Single();
        failed.Reason.ShouldBe($"{reason}: no such thing");
        failed.Cause.ShouldBe(cause);
    }

    [Theory]
    [InlineData("Running")]
    [InlineData("Pending")]
    public async Task WhereThereIsAPhaseItWinsOverACondition(string phase)
    {
        await _attached.WatchingAsync();
        _cluster.CreateSession("a");
        _cluster.Phase("a", phase);
        _cluster.Fail("a", "DeploymentReady", "DeploymentCreationFailed", "it was so once");
        await _attached.SettledAsync();

        _attached.Told("a").ShouldBe("Created");
        _attached.Active.ShouldBe(1);
    }

    [Fact]
    public async Task ASessionThatAppearsIsCreatedAndHasStartedWhenItsPodIsReady()
    {
        await _attached.WatchingAsync();
        _cluster.CreateSession("a", "ada", "firefox");
        _cluster.Phase("a", "Running");
        _cluster.CreatePod("p", "a", "ada", "firefox");
        await _attached.SettledAsync();
        _attached.Told("a").ShouldBe("Created");
        _attached.State("a").ShouldBe(SessionState.Starting);
        _attached.Active.ShouldBe(1);

        _cluster.Ready("p");
        await _attached.UntilAsync(() => _attached.State("a") is SessionState.Running, "it runs");
        _attached.Told("a").ShouldBe("Created Started");
        var session = _attached.Session("a")!;
        session.Template.ShouldBe("firefox");
        session.StartedAt!.Value.ShouldBeGreaterThanOrEqualTo(session.CreatedAt!.Value);
        session.Platform.ShouldBe("kubernetes");
    }

    [Fact]
    public async Task ADeletedSessionHasEndedOnceAndHeldByAFinalizerIsEndingBefore()
    {
        _cluster.RunSession("a");
        _cluster.RunSession("b", "bob");
        await _attached.WatchingAsync();
        _cluster.DeleteSession("a");
        _cluster.BeginDelete("b");
        await _attached.SettledAsync();
        _attached.Told("a").ShouldBe("Found Ended");
        _attached.State("b").ShouldBe(SessionState.Ending);
        _attached.Active.ShouldBe(0);

        _cluster.DeleteSession("b");
        await _attached.SettledAsync();
        _attached.Told("b").ShouldBe("Found Ended");
    }

    [Fact]
    public async Task SleepAndWakingAreToldByTheIntent()
    {
        await _attached.WatchingAsync();
        _cluster.RunSession("a");
        await _attached.SettledAsync();
        _cluster.Want("a", "hibernated");
        _cluster.DeletePod("ss-a");
        _cluster.Phase("a", "Hibernated");
        await _attached.SettledAsync();
        _attached.State("a").ShouldBe(SessionState.Hibernated);
        _attached.Active.ShouldBe(0);

        _cluster.Want("a", "running");
        await _attached.SettledAsync();
        _attached.State("a").ShouldBe(SessionState.Starting);
        _cluster.CreatePod("p2", "a");
        _cluster.Ready("p2");
        await _attached.SettledAsync();
        _attached.State("a").ShouldBe(SessionState.Running);
        _attached.Told("a").ShouldBe("Created Started Hibernated Woken");
    }

    [Fact]
    public async Task AFailureIsToldWithTheControllersWords()
    {
        await _attached.WatchingAsync();
        _cluster.CreateSession("a");
        _cluster.Phase("a", "Failed", "template chrome not found");
        await _attached.SettledAsync();
        _attached.Facts.OfType<SessionFailed>().ShouldHaveSingleItem().Reason.ShouldBe("template chrome not found");
        _attached.Active.ShouldBe(0);
    }

    [Fact]
    public async Task WhatChangedWhileNobodyLookedIsToldAtTheNextStart()
    {
        _cluster.RunSession("stays");
        _cluster.RunSession("ends", "bob");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        await _attached.StopAsync();

        _cluster.DeleteSession("ends");
        _cluster.DeletePod("ss-ends");
        _cluster.RunSession("new", "eve");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();

        _attached.Told("stays").ShouldBe("Found");
        _attached.Told("ends").ShouldBe("Found Ended");
        _attached.Told("new").ShouldBe("Created Started");
    }

    [Fact]
    public async Task ASessionIdThatIsUsedAgainWhileNobodyLookedIsAnotherLife()
    {
        await _attached.WatchingAsync();
        _cluster.RunSession("a");
        await _attached.SettledAsync();
        await _attached.StopAsync();

        _cluster.DeleteSession("a");
        _cluster.CreateSession("a");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();

        _attached.Told("a").ShouldStartWith("Created Started Ended Created");
        _attached.Facts.Select(e => e.Id).OfType<string>().ShouldBeUnique();
        _attached.Active.ShouldBe(1);
    }

    [Fact]
    public async Task ANamespaceThatIsAddedIsAFirstLookOfItsOwn()
    {
        _cluster.RunSession("old", @namespace: "other");
        await _attached.WatchingAsync();
        await _attached.StopAsync();
        _attached.Options = _attached.Options with { Namespaces = ["streamspace", "other"] };
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        _attached.Told("old").ShouldBe("Found");
    }

    [Fact]
    public async Task ANamespaceThatWasTakenOutAndPutBackIsAFirstLookAgain()
    {
        _attached.Options = _attached.Options with { Namespaces = ["streamspace", "other"] };
        await _attached.WatchingAsync();
        await _attached.StopAsync();
        _attached.Options = _attached.Options with { Namespaces = ["streamspace"] };
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        await _attached.StopAsync();
        _cluster.RunSession("meanwhile", @namespace: "other");
        _attached.Options = _attached.Options with { Namespaces = ["streamspace", "other"] };
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        _attached.Told("meanwhile").ShouldBe("Found");
    }

    [Fact]
    public async Task TheSameIdInTwoNamespacesIsSkippedAndCountedAndNotTakenForAnotherLife()
    {
        _attached.Options = _attached.Options with { Namespaces = ["streamspace", "other"] };
        await _attached.WatchingAsync();
        _cluster.RunSession("a");
        await _attached.SettledAsync();
        _cluster.RunSession("a", "bob", @namespace: "other");
        await _attached.UntilAsync(() => _attached.Status.Skipped.Count > 0, "it is skipped");
        _cluster.Touch("a");
        await _attached.SettledAsync();
        _attached.Told("a").ShouldBe("Created Started");
        _attached.Status.Skipped.Keys.ShouldBe(["session id used in another namespace"]);
    }

    [Fact]
    public async Task ATouchTellsNothing()
    {
        await _attached.WatchingAsync();
        _cluster.RunSession("a");
        await _attached.SettledAsync();
        var before = _attached.Facts.Count;
        for (var i = 0; i < 50; i++)
        {
            _cluster.Touch("a");
        }
        await _attached.SettledAsync();
        _attached.Facts.Count.ShouldBe(before);
    }

    [Fact]
    public async Task TwoSessionsThatShareADeploymentBothRunAndBothCount()
    {
        await _attached.WatchingAsync();
        _cluster.RunSession("first");
        _cluster.CreateSession("second");
        await _attached.SettledAsync();
        _attached.State("second").ShouldBe(SessionState.Running);
        _attached.Active.ShouldBe(2);
        _attached
            .Session("second")!
            .StartedAt!.Value.ShouldBeGreaterThanOrEqualTo(_attached.Session("second")!.CreatedAt!.Value);
    }

    [Fact]
    public async Task ASessionKnownFromMessagesIsTheSameLife()
    {
        var nats = new ScriptedSource("nats");
        await using var attached = new Attached(await FakeCluster.StartAsync(_clock), _clock) { Beside = nats };
        await attached.WatchingAsync();
        var asked = new CreateRequested("a", _clock.GetUtcNow())
        {
            User = new PlatformUser("7", null),
            Template = "chrome",
            Platform = "kubernetes",
        };
        nats.Say(null, asked);
        await attached.UntilAsync(() => attached.State("a") is SessionState.Requested, "it is asked for");
        attached.Cluster.CreateSession("a");
        nats.Say(null, asked, new StatusReported("a", _clock.GetUtcNow(), ReportedStatus.Running));
        await attached.SettledAsync();
        attached.State("a").ShouldBe(SessionState.Starting, "a message says running long before a pod is ready");

        attached.Cluster.CreatePod("p", "a");
        attached.Cluster.Ready("p");
        await attached.SettledAsync();
        nats.Say(null, new DeleteRequested("a", _clock.GetUtcNow()));
        await attached.SettledAsync();
        attached.State("a").ShouldBe(SessionState.Running, "a request is not the end where the end can be seen");

        attached.Cluster.DeleteSession("a");
        await attached.SettledAsync();
        attached.Told("a").ShouldBe("Created Started Ended");
        attached.Session("a")!.User.ShouldBe(new PlatformUser("7", "ada"));
    }
}
