using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

public sealed class KubernetesFaultTests : IAsyncLifetime
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

    [Theory]
    [InlineData("cut")]
    [InlineData("ended")]
    [InlineData("expired")]
    [InlineData("gone away")]
    public async Task AWatchThatIsLostLosesNothing(string how)
    {
        _cluster.RunSession("stays");
        _cluster.RunSession("ends", "bob");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        if (how is "gone away")
        {
            await _cluster.StopAsync();
        }
        _cluster.RunSession("new", "eve");
        _cluster.DeleteSession("ends");
        switch (how)
        {
            case "cut":
                _cluster.CutWatches();
                break;
            case "ended":
                _cluster.EndWatches();
                break;
            case "expired":
                _cluster.Expire();
                _cluster.CutWatches();
                break;
            default:
                await _attached.UntilAsync(() => _attached.Status.State is SourceState.Down, "it is down");
                await _cluster.RestartAsync();
                break;
        }
        await _attached.SettledAsync();
        _attached.Told("stays").ShouldBe("Found");
        _attached.Told("ends").ShouldBe("Found Ended");
        _attached.Told("new").ShouldBe("Created Started");
        var wellAgain = $"Watches streamspace at https://127.0.0.1:{_cluster.Port}.";
        await _attached.UntilAsync(() => _attached.Status.Detail == wellAgain, "the status says so");
        _attached.Status.State.ShouldBe(SourceState.Up);
    }

    [Fact]
    public async Task ABookmarkLetsAQuietWatchGoOnWithoutAnotherList()
    {
        _cluster.RunSession("a");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        var lists = _cluster.Asked("list sessions");
        for (var i = 0; i < 3; i++)
        {
            var watches = _cluster.Asked("watch sessions");
            _cluster.CreateSession($"elsewhere-{i}", @namespace: "other");
            _cluster.Bookmark();
            _cluster.Compact();
            _cluster.EndWatches();
            await _attached.UntilAsync(() => _cluster.Asked("watch sessions") > watches, "another watch is opened");
        }
        await _attached.SettledAsync();
        _cluster.Asked("list sessions").ShouldBe(lists);
    }

    [Fact]
    public async Task AListInPagesThatExpiresMidwayIsListedAgainAndStillAFirstLook()
    {
        for (var i = 0; i < 25; i++)
        {
            _cluster.RunSession($"s{i:D2}", $"u{i}");
        }
        _cluster.PageSize = 4;
        var expired = false;
        _cluster.BeforePage = (kind, from) =>
        {
            if (kind is "sessions" && from == 12 && !expired)
            {
                expired = true;
                _cluster.Expire();
                _cluster.DeleteSession("s00");
            }
        };
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        expired.ShouldBeTrue();
        _attached.Active.ShouldBe(24);
        _attached.Told("s00").ShouldBe("Found Ended");
        _attached.Facts.OfType<SessionCreated>().ShouldBeEmpty();
    }

    [Fact]
    public async Task AWatchThatDripsIsReadAllTheSame()
    {
        _cluster.Drip = 7;
        await _attached.WatchingAsync();
        _cluster.RunSession("a", template: "größe-😀");
        await _attached.SettledAsync();
        _attached.Session("a")!.Template.ShouldBe("größe-😀");
    }

    [Fact]
    public async Task AWatchWhoseOtherEndIsGoneIsGivenUpAfterItsTime()
    {
        var clock = new HurriedClock(Some.Morning, rate: 200);
        var cluster = await FakeCluster.StartAsync(clock);
        await using var attached = new Attached(cluster, clock);
        cluster.Stalls = true;
        await attached.StartAsync();
        await attached.UntilAsync(() => cluster.OpenWatches("sessions") == 1, "a watch that says nothing");
        cluster.RunSession("a");
        cluster.Stalls = false;
        await attached.UntilAsync(() => attached.State("a") is SessionState.Running, "another watch");
        attached.Told("a").ShouldBe("Created Started");
        cluster.Asked("list sessions").ShouldBe(1, "nothing was lost");
    }

    [Fact]
    public async Task WhereWatchesAreClosedAtOnceSessionsAreListedAgainAndTheSourceIsNotUp()
    {
        _cluster.ClosesWatches = _ => true;
        await _attached.StartAsync();
        await _attached.UntilAsync(() => _attached.Status.Detail.Contains("closed at once"), "it is told");
        _attached.Status.State.ShouldBe(SourceState.Connecting);
        _cluster.RunSession("a");
        await _attached.UntilAsync(() => _attached.State("a") is SessionState.Running, "it is seen in a list");

        _cluster.ClosesWatches = null;
        await _attached.UntilAsync(() => _attached.Status.State is SourceState.Up, "a watch that lasts");
        var lists = _cluster.Asked("list sessions");
        await _attached.SettledAsync();
        _cluster.Asked("list sessions").ShouldBe(lists);

        _cluster.ClosesWatches = _ => true;
        _cluster.EndWatches();
        await _attached.UntilAsync(() => _attached.Status.State is SourceState.Down, "it is down");
        _cluster.RunSession("b");
        await _attached.UntilAsync(() => _attached.State("b") is SessionState.Running, "it is seen in a list");
    }

    [Theory]
    [InlineData("this is no JSON")]
    [InlineData("""{"type":"MODIFIED"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"type":"ERROR","object":{"code":500}}""")]
    public async Task AWatchThatMakesNoSenseIsOpenedAgain(string line)
    {
        await _attached.WatchingAsync();
        var watches = _cluster.Asked("watch sessions");
        _cluster.SendRaw(line);
        await _attached.UntilAsync(() => _cluster.Asked("watch sessions") > watches, "another watch is opened");
        _cluster.RunSession("a");
        await _attached.SettledAsync();
        _attached.Told("a").ShouldBe("Created Started");
    }

    [Theory]
    [InlineData("""{"type":"ADDED","object":{"metadata":{"name":"x"}}}""")]
    [InlineData("""{"type":"ADDED","object":{"metadata":{"name":"x","uid":"u","creationTimestamp":"soon"}}}""")]
    [InlineData("""{"type":"ADDED","object":{"metadata":{"name":"x","uid":"u","creationTimestamp":"2026-03-02"}}}""")]
    [InlineData(
        """{"type":"ADDED","object":{"metadata":{"name":"x","uid":"u","creationTimestamp":"2026-03-02T08:00:00"}}}"""
    )]
    [InlineData("""{"type":"ADDED","object":{"spec":7}}""")]
    public async Task AResourceThatCannotBeReadCostsOnlyItself(string line)
    {
        await _attached.WatchingAsync();
        var watches = _cluster.Asked("watch sessions");
        _cluster.SendRaw(line);
        await _attached.UntilAsync(() => _attached.Status.Skipped.Count == 1, "it is skipped");
        await _attached.SettledAsync();
        _cluster.Asked("watch sessions").ShouldBe(watches);
        _attached.Status.Skipped["unreadable session"].ShouldBe(1);
    }

    [Fact]
    public async Task WithoutTheRightToPodsThePhaseTellsThatASessionRuns()
    {
        _cluster.Forbid("pods");
        await _attached.WatchingAsync();
        _cluster.CreateSession("a");
        await _attached.SettledAsync();
        _attached.State("a").ShouldBe(SessionState.Starting);
        _cluster.Phase("a", "Running");
        await _attached.SettledAsync();
        _attached.Told("a").ShouldBe("Created Started");
        _attached.Status.State.ShouldBe(SourceState.Up);
        _attached.Status.Detail.ShouldContain("Grant get, list and watch on pods.");

        _cluster.Allow("pods");
        await _attached.UntilAsync(
            () => !_attached.Status.Detail.Contains("Grant", StringComparison.Ordinal),
            "the pods are seen"
        );
    }

    [Fact]
    public async Task WithoutTheRightToSessionsItSaysWhatToGrantAndGoesOnByItself()
    {
        _cluster.Forbid("sessions");
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("Grant get, list and watch on sessions", StringComparison.Ordinal),
            "it says what to grant"
        );
        _attached.Status.State.ShouldBe(SourceState.Connecting);
        _cluster.RunSession("a");
        _cluster.Allow("sessions");
        await _attached.UntilAsync(() => _attached.State("a") is SessionState.Running, "it goes on");
        _attached.Status.Downtime.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task AClusterOfAnotherAuthorityIsNotTrustedAndTheTokenStaysWithUs()
    {
        await using var other = await FakeCluster.StartAsync(_clock);
        var config = await File.ReadAllTextAsync(_cluster.KubeConfig, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _cluster.KubeConfig,
            config.Replace($":{_cluster.Port}", $":{other.Port}", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("TLS failed", StringComparison.Ordinal),
            "it is not trusted"
        );
        other.Asked("list sessions").ShouldBe(0);
    }

    [Fact]
    public async Task ACertificateForAnotherNameIsNotTrusted()
    {
        var config = await File.ReadAllTextAsync(_cluster.KubeConfig, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _cluster.KubeConfig,
            config.Replace("127.0.0.1", "localhost", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("TLS failed", StringComparison.Ordinal),
            "it is not trusted"
        );
    }

    [Fact]
    public async Task AWrongTokenIsToldWithoutTheToken()
    {
        var config = await File.ReadAllTextAsync(_cluster.KubeConfig, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _cluster.KubeConfig,
            config.Replace(_cluster.Token, Secret.Wrong, StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("answers 401", StringComparison.Ordinal),
            "it is refused"
        );
        _attached.Status.Detail.ShouldNotContain(Secret.Wrong);
    }

    [Fact]
    public async Task AKubeconfigThatIsNotThereIsWaitedFor()
    {
        var options = _attached.Options;
        var later = Path.Combine(Path.GetDirectoryName(_cluster.KubeConfig)!, "later");
        _attached.Options = options with { KubeConfig = later };
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains(later, StringComparison.Ordinal),
            "it says which file"
        );
        File.Copy(_cluster.KubeConfig, later);
        await _attached.UntilAsync(() => _attached.Status.State is SourceState.Up, "it goes on");
    }
}
