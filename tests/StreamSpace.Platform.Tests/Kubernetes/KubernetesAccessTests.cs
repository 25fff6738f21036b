using System.Threading.Channels;
using k8s;
using k8s.Models;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Who we are to the cluster, whom we trust there, and what we say when a right is missing.</summary>
public sealed class KubernetesAccessTests : IAsyncLifetime
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
    public async Task InTheClusterTheServiceAccountIsUsedAndReadAnewWhenItsTokenIsRotated()
    {
        BeInTheCluster();
        _cluster.RunSession("before");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        await _cluster.RotateTokenAsync();
        _cluster.CutWatches();
        _cluster.RunSession("after", "bob");
        await _attached.SettledAsync();
        (_attached.Told("before"), _attached.Told("after")).ShouldBe(("Found", "Created Started"));
        await _attached.UntilAsync(
            () => !_attached.Status.Detail.Contains("401", StringComparison.Ordinal),
            "nothing is refused any more"
        );
    }

    [Fact]
    public async Task AMomentWithoutCredentialsMakesNoSessionReady()
    {
        _cluster.CreateSession("a");
        _cluster.Phase("a", "Running");
        await _attached.WatchingAsync();
        await _attached.SettledAsync();
        await _cluster.RotateTokenAsync();
        _cluster.CutWatches();
        await _attached.SettledAsync();
        (_attached.Told("a"), _attached.State("a")).ShouldBe(("Found", SessionState.Starting));
    }

    [Fact]
    public async Task InTheClusterOnlyItsOwnAuthorityIsTrustedAndANewOneIsReadAnew()
    {
        BeInTheCluster();
        using var other = new FakeAuthority();
        var file = Path.Combine(_cluster.ServiceAccount.Folder, "ca.crt");
        var own = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, other.Pem, TestContext.Current.CancellationToken);
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("TLS failed", StringComparison.Ordinal),
            "it is not trusted"
        );
        _cluster.Asked("list sessions").ShouldBe(0);

        await File.WriteAllTextAsync(file, own, TestContext.Current.CancellationToken);
        await _attached.UntilAsync(() => _attached.Status.State is SourceState.Up, "it is trusted");
    }

    [Fact]
    public async Task AKubeconfigThatIsMendedIsReadAnew()
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
        await File.WriteAllTextAsync(_cluster.KubeConfig, config, TestContext.Current.CancellationToken);
        await _attached.UntilAsync(() => _attached.Status.State is SourceState.Up, "it is let in");
    }

    [Theory]
    [InlineData("http://192.0.2.7:6443", "token: ")]
    [InlineData("http://cluster.invalid", "token: ")]
    [InlineData("http://cluster.invalid", "username: ada, password: ")]
    public async Task CredentialsOfAKubeconfigAreNeverSentOverPlainHttpBeyondThisMachine(
        string server,
        string credentials
    )
    {
        var options = _attached.Options with { KubeConfig = Path.Combine(TestRun.NewGivenFolder(), "kubeconfig") };
        await WriteKubeConfigAsync(options.KubeConfig, server, credentials + Secret.Wrong);
        _attached.Options = options;
        await _attached.StartAsync();
        await _attached.UntilAsync(
            () => _attached.Status.Detail.Contains("over https", StringComparison.Ordinal),
            "it is refused"
        );
        _attached.Status.State.ShouldNotBe(SourceState.Up);
        _attached.Status.Detail.ShouldContain(server);
        _attached.Status.Detail.ShouldNotContain(Secret.Wrong);
        var rows = await KubernetesCheck.RunAsync(options, _clock, TestContext.Current.CancellationToken);
        rows.ShouldHaveSingleItem().Detail.ShouldContain("Write https there.");
    }

    [Theory]
    [InlineData("http://127.0.0.1:6443", "token: abc")]
    [InlineData("http://localhost:6443", "token: abc")]
    [InlineData("https://192.0.2.7:6443", "token: abc")]
    public async Task PlainHttpToThisMachineIsTheOperatorsChoice(string server, string credentials)
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "kubeconfig");
        await WriteKubeConfigAsync(file, server, credentials);
        using var cluster = ClusterClient.Open(_attached.Options with { KubeConfig = file }, _clock);
        cluster.Address.ShouldBe(new Uri(server));
    }

    private static Task WriteKubeConfigAsync(string file, string server, string credentials) =>
        File.WriteAllTextAsync(
            file,
            $$"""
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u} }]
            clusters: [{name: k, cluster: {server: "{{server}}"} }]
            users: [{name: u, user: { {{credentials}} } }]
            """,
            TestContext.Current.CancellationToken
        );

    [Fact]
    public void AServiceAccountIsFoundWhereTheClusterLaysIt()
    {
        var account = _cluster.ServiceAccount;
        Find("10.0.0.1").ShouldBe(account with { Address = new Uri("https://10.0.0.1:6443") });
        Find("fd00::1")!.Address.ShouldBe(new Uri("https://[fd00::1]:6443"));
        Find(null).ShouldBeNull();
        File.Delete(Path.Combine(account.Folder, "token"));
        Find("10.0.0.1").ShouldBeNull();

        ServiceAccount? Find(string? host) =>
            ServiceAccount.Find(
                name =>
                    name is "KUBERNETES_SERVICE_HOST" ? host
                    : name is "KUBERNETES_SERVICE_PORT" ? "6443"
                    : null,
                account.Folder
            );
    }

    [Theory]
    [InlineData("sessions", "stream.space", "sessions")]
    [InlineData("pods", "", "pods")]
    [InlineData("metrics", "metrics.k8s.io", "pods")]
    [InlineData("nodes", "", "nodes")]
    [InlineData("kubelet", "", "nodes/stats")]
    public async Task AMissingRightIsShownWithTheYamlThatGrantsItUntilItIsThere(
        string kind,
        string group,
        string resource
    )
    {
        BeInTheCluster();
        _attached.Options = _attached.Options with { Storage = true };
        _cluster.CreateSession("a");
        _cluster.CreatePod("p", "a", limit: null);
        _cluster.Forbid(kind);
        await _attached.StartAsync();
        await _attached.UntilAsync(() => Yaml().Length > 0, "the YAML is shown");

        var granted = KubernetesYaml.LoadAllFromString(Yaml(), null, strict: true);
        var rules = granted
            .OfType<V1Role>()
            .SelectMany(r => r.Rules)
            .Concat(granted.OfType<V1ClusterRole>().SelectMany(r => r.Rules));
        rules.ShouldContain(r => r.ApiGroups.Contains(group) && r.Resources.Contains(resource));
        var subjects = granted
            .OfType<V1RoleBinding>()
            .SelectMany(b => b.Subjects)
            .Concat(granted.OfType<V1ClusterRoleBinding>().SelectMany(b => b.Subjects));
        subjects.ShouldHaveSingleItem().NamespaceProperty.ShouldBe("watchers");
        granted.OfType<V1Role>().ShouldAllBe(r => r.Metadata.NamespaceProperty == "streamspace");

        _cluster.Allow(kind);
        await _attached.UntilAsync(() => Yaml().Length == 0, "nothing is missing any more");

        string Yaml() => _attached.Status.Detail.Split('\n', 2) is [_, var yaml] ? yaml : "";
    }

    [Fact]
    public async Task ItSaysThatTheSessionsAreWatchedForAsLongAsTheyAre()
    {
        var output = Channel.CreateUnbounded<ObservationBatch>();
        using var stop = new CancellationTokenSource();
        var source = new KubernetesSource(_attached.Options, _clock, () => 0, new SearchedLog());
        var running = source.RunAsync(output.Writer, null, stop.Token);
        await WatchedAsync();

        _cluster.Forbid("sessions");
        _cluster.CutWatches();
        while (source.Status.State is not SourceState.Down)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _clock, TestContext.Current.CancellationToken);
        }
        while (output.Reader.TryRead(out _)) { }
        // A measurement that was under way may still have begun before.
        for (var polls = _cluster.Asked("metrics") + 3; _cluster.Asked("metrics") < polls; )
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _clock, TestContext.Current.CancellationToken);
        }
        var late = 0;
        while (output.Reader.TryRead(out var batch))
        {
            late += batch.Observations.OfType<SessionsWatched>().Count();
        }
        late.ShouldBeLessThanOrEqualTo(1);

        _cluster.Allow("sessions");
        await WatchedAsync();
        await stop.CancelAsync();
        await running;

        async Task WatchedAsync()
        {
            while (
                !(await output.Reader.ReadAsync(TestContext.Current.CancellationToken))
                    .Observations.OfType<SessionsWatched>()
                    .Any()
            ) { }
        }
    }

    private void BeInTheCluster() =>
        _attached.Options = _attached.Options with { KubeConfig = null, ServiceAccount = _cluster.ServiceAccount };
}
