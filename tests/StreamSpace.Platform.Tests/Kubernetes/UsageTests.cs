using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

public sealed class UsageTests : IAsyncLifetime
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
    [InlineData("2", null, "500m", 25.0)]
    [InlineData("500m", "100m", "123456789n", 24.6913578)]
    [InlineData(null, "1", "250m", 25.0)]
    [InlineData(null, null, "2", 25.0)]
    [InlineData(null, "100m", "3", 100.0)]
    public async Task CpuIsAPercentageOfTheLimitElseTheRequestElseTheNode(
        string? limit,
        string? request,
        string used,
        double percent
    )
    {
        _cluster.CreateSession("a");
        _cluster.CreatePod("p", "a", limit: limit, request: request);
        _cluster.Ready("p");
        _cluster.Use("p", used, "1536Mi");
        await _attached.WatchingAsync();
        var measured = await MeasuredAsync("a");
        measured.CpuPercent!.Value.ShouldBe(percent, 1e-9);
        measured.MemoryBytes.ShouldBe(1536.0 * 1024 * 1024);
        measured.StorageBytes.ShouldBeNull();
    }

    [Fact]
    public async Task UsageOfASharedPodGoesToTheSessionItIsLabelledWith()
    {
        _cluster.RunSession("first");
        _cluster.CreateSession("second");
        _cluster.Use("ss-first", "1", "1Gi");
        await _attached.WatchingAsync();
        await MeasuredAsync("first");
        await MeasuredAsync("first");
        _attached.Usages.ShouldAllBe(m => m.Id == "first");
    }

    [Fact]
    public async Task AHomeCountsForTheOldestRunningSessionOfItsUser()
    {
        _attached.Options = _attached.Options with { Storage = true };
        _cluster.RunSession("old");
        await Task.Delay(TimeSpan.FromSeconds(2), _clock, TestContext.Current.CancellationToken);
        _cluster.RunSession("young", template: "firefox");
        _cluster.Fill("home-ada", 12_345);
        await _attached.WatchingAsync();
        (await MeasuredAsync("old")).StorageBytes.ShouldBe(12_345);
        _attached.Usages.ShouldAllBe(m => m.Id == "old");

        _cluster.Want("old", "hibernated");
        (await MeasuredAsync("young")).StorageBytes.ShouldBe(12_345);
    }

    [Theory]
    [InlineData("metrics", true, "Install metrics-server")]
    [InlineData("metrics", false, "Grant get and list on pods of the group metrics.k8s.io.")]
    [InlineData("kubelet", false, "Grant get on nodes/stats.")]
    [InlineData("nodes", false, "Grant get on nodes.")]
    public async Task WhatIsRefusedSilencesOnlyItself(string kind, bool absent, string fix)
    {
        _attached.Options = _attached.Options with { Storage = true };
        _cluster.CreateSession("a");
        _cluster.CreatePod("p", "a", limit: null);
        _cluster.Ready("p");
        _cluster.Use("p", "1", "1Gi");
        _cluster.Fill("home-ada", 7);
        if (absent)
        {
            _cluster.Remove(kind);
        }
        else
        {
            _cluster.Forbid(kind);
        }
        await _attached.WatchingAsync();
        var measured = await MeasuredAsync("a");
        (measured.CpuPercent is null).ShouldBe(kind is "metrics" or "nodes");
        (measured.MemoryBytes is null).ShouldBe(kind is "metrics");
        (measured.StorageBytes is null).ShouldBe(kind is "kubelet");
        _attached.Status.State.ShouldBe(SourceState.Up);
        _attached.Status.Detail.ShouldContain(fix);
    }

    [Fact]
    public async Task EachMeasurementWaitsForTheIntervalOfThatMoment()
    {
        var asked = 0;
        _attached.Options = _attached.Options with
        {
            MetricsInterval = () => ++asked <= 3 ? TimeSpan.FromSeconds(2) : TimeSpan.FromDays(1),
        };
        _cluster.RunSession("a");
        await _attached.WatchingAsync();
        await _attached.UntilAsync(() => asked == 4, "three short intervals, and a long one begun");
        await Task.Delay(TimeSpan.FromSeconds(20), _clock, TestContext.Current.CancellationToken);
        _cluster.Asked("metrics").ShouldBe(3);
    }

    [Fact]
    public async Task StorageIsNotAskedForUnlessItIsSwitchedOn()
    {
        _cluster.RunSession("a");
        _cluster.Use("ss-a", "1", "1Gi");
        await _attached.WatchingAsync();
        await MeasuredAsync("a");
        await MeasuredAsync("a");
        _cluster.Asked("kubelet").ShouldBe(0);
        _cluster.Asked("nodes").ShouldBe(0);
    }

    [Fact]
    public async Task KubeletsThatAnotherAuthoritySignedAreTrustedByItsFileAlone()
    {
        using var other = new FakeAuthority();
        var file = Path.Combine(_cluster.ServiceAccount.Folder, "kubelet-ca.crt");
        await File.WriteAllTextAsync(file, other.Pem, TestContext.Current.CancellationToken);
        _attached.Options = _attached.Options with { Storage = true, KubeletAuthority = file };
        _cluster.RunSession("a");
        _cluster.Fill("home-ada", 7);
        await _attached.WatchingAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("KUBELET_CA_FILE", StringComparison.Ordinal),
            "the kubelet is not trusted"
        );
        _cluster.Asked("kubelet").ShouldBe(0);

        await _attached.StopAsync();
        File.Copy(Path.Combine(_cluster.ServiceAccount.Folder, "ca.crt"), file, overwrite: true);
        await _attached.WatchingAsync();
        (await MeasuredAsync("a")).StorageBytes.ShouldBe(7);
    }

    // The next measurement of a session.
    private async Task<SessionUsage> MeasuredAsync(string id)
    {
        var before = Of().Count;
        await _attached.UntilAsync(() => Of().Count > before, $"{id} is measured");
        return Of()[before];

        List<SessionUsage> Of() => [.. _attached.Usages.Where(m => m.Id == id).Select(m => m.Usage)];
    }
}
