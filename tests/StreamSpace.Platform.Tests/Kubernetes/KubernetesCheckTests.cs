using System.Text.RegularExpressions;
using System.Threading.Channels;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

public sealed class KubernetesCheckTests : IAsyncLifetime
{
    private readonly HurriedClock _clock = new(Some.Morning);
    private FakeCluster _cluster = null!;

    private KubernetesOptions Options =>
        new()
        {
            KubeConfig = _cluster.KubeConfig,
            KubeletPort = _cluster.KubeletPort,
            Storage = true,
        };

    public async ValueTask InitializeAsync()
    {
        _cluster = await FakeCluster.StartAsync(_clock);
        _cluster.RunSession("a");
    }

    public async ValueTask DisposeAsync()
    {
        _cluster.Complaints.ShouldBeEmpty();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task EveryRightHasARowAndIsFoundWorking()
    {
        var rows = await CheckAsync();
        rows.Select(r => r.Right).ShouldBe(Enum.GetValues<KubernetesRight>());
        rows.ShouldAllBe(r => r.Works == true && r.Fix == null && r.Grant == null);
    }

    [Fact]
    public async Task ACertificateThatNobodyChecksIsAWarningHereAndInTheStatus()
    {
        var text = await File.ReadAllTextAsync(Options.KubeConfig!);
        var trusting = Path.Combine(TestRun.NewGivenFolder(), "kubeconfig");
        await File.WriteAllTextAsync(
            trusting,
            Regex.Replace(text, "certificate-authority-data: .*", "insecure-skip-tls-verify: true")
        );
        var options = Options with { KubeConfig = trusting };
        var rows = await KubernetesCheck.RunAsync(options, _clock, CancellationToken.None);
        var warning = rows.Single(r => r.Works is null);
        warning.Detail.ShouldContain("says insecure-skip-tls-verify: whoever answers");
        warning.Fix!.ShouldContain("certificate-authority-data");
        rows.Count(r => r.Works is true).ShouldBe(Enum.GetValues<KubernetesRight>().Length);

        var source = new KubernetesSource(options, _clock, () => 0.5, new SearchedLog());
        using var stop = new CancellationTokenSource();
        var running = source.RunAsync(Channel.CreateUnbounded<ObservationBatch>().Writer, null, stop.Token);
        await Patience.Until(() => source.Status.State is SourceState.Up);
        source.Status.Detail.ShouldContain("insecure-skip-tls-verify");
        await stop.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData("sessions", KubernetesRight.ListSessions)]
    [InlineData("deployments", KubernetesRight.Deployments)]
    [InlineData("pods", KubernetesRight.Pods)]
    [InlineData("metrics", KubernetesRight.Metrics)]
    [InlineData("nodes", KubernetesRight.Nodes)]
    [InlineData("kubelet", KubernetesRight.Kubelet)]
    public async Task AMissingRightHasItsFixBesideIt(string kind, KubernetesRight right)
    {
        // The pod is what tells of its node and kubelet.
        _cluster.Forbid(kind);
        var row = (await CheckAsync()).Single(r => r.Right == right);
        row.Works.ShouldBe(false);
        row.Detail.ShouldContain("403");
        row.Fix!.ShouldStartWith("Grant ");
        row.Grant!.ShouldContain("namespace: streamspace");
    }

    [Fact]
    public async Task WithoutASessionNodesAndKubeletsAreNotTried()
    {
        _cluster.DeletePod("ss-a");
        var rows = await CheckAsync();
        rows.Where(r => r.Works is null)
            .Select(r => r.Right)
            .ShouldBe([KubernetesRight.Nodes, KubernetesRight.Kubelet]);
    }

    [Fact]
    public async Task AClusterThatIsAwayIsOneRow()
    {
        await _cluster.StopAsync();
        var row = (await CheckAsync()).ShouldHaveSingleItem();
        (row.Right, row.Works).ShouldBe((KubernetesRight.Reach, (bool?)false));
        row.Fix.ShouldNotBeNull();
        await _cluster.RestartAsync();
    }

    [Fact]
    public void NoGrantCanRunCommandsOrChangeAnything()
    {
        foreach (var yaml in (string[])[KubernetesGrants.Sessions, KubernetesGrants.Nodes])
        {
            yaml.ShouldNotContain("nodes/proxy");
            yaml.Split('\n')
                .Where(l => l.Contains("verbs:", StringComparison.Ordinal))
                .ShouldAllBe(l =>
                    l.Split('"', StringSplitOptions.None)
                        .Where((_, i) => i % 2 == 1)
                        .All(v => v == "get" || v == "list" || v == "watch")
                );
        }
    }

    [Theory]
    [InlineData("streamspace", 1)]
    [InlineData(" a , b,a ", 2)]
    public void NamespacesAreAListPartedByCommas(string list, int count) =>
        From(list)!.Namespaces.Count.ShouldBe(count);

    [Theory]
    [InlineData("a/../b")]
    [InlineData("A")]
    [InlineData(" , ")]
    [InlineData("a?b")]
    public void WhatIsNoNamespaceIsRefused(string list) =>
        Should.Throw<ArgumentException>(() => From(list)).Message.ShouldContain("NAMESPACE");

    [Fact]
    public void AnAuthorityThatIsNotThereIsRefused() =>
        Should
            .Throw<ArgumentException>(() =>
                KubernetesOptions.From(name => name is "NAMESPACE" ? null : "/nowhere/ca.crt")
            )
            .Message.ShouldContain("KUBELET_CA_FILE is /nowhere/ca.crt");

    [Fact]
    public void WithoutAClusterThereAreNoOptions() => KubernetesOptions.From(_ => null).ShouldBeNull();

    private static KubernetesOptions? From(string namespaces) =>
        KubernetesOptions.From(name =>
            name is "KUBECONFIG" ? "/kube"
            : name is "NAMESPACE" ? namespaces
            : null
        );

    private Task<IReadOnlyList<KubernetesCheckResult>> CheckAsync() =>
        KubernetesCheck.RunAsync(Options, _clock, TestContext.Current.CancellationToken);
}
