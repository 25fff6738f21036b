using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Shouldly;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Nats;

/// <summary>A real nats-server that is away, comes back, or lets nobody in.</summary>
public sealed class NatsReachTests : IAsyncDisposable
{
    private readonly UpstreamMessages _upstream = new(seed: 1);
    private readonly NatsEar _ear = new();

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AServerThatIsAwayAtTheStartIsWaitedFor()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await server.KillAsync();
        await _ear.ListenAsync(server.Url);
        await _ear.Subscriber.Changed.UntilAsync(
            () => _ear.Source.Status.Detail.Contains("check NATS_URL", StringComparison.Ordinal),
            "a detail that says what to do"
        );
        _ear.Source.Status.State.ShouldBe(SourceState.Connecting);

        await server.StartAsync();
        await _ear.UpAsync();
        await using var api = await server.ConnectAsync();
        await _upstream.Create("s", "ada", "chrome", Now).PublishAsync(api);
        await _upstream.Delete("s", "ada", Now.AddSeconds(1)).PublishAsync(api);
        await _ear.EndedAsync(1);
        _ear.Source.Status.Downtime.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task AServerThatIsKilledAndComesBackIsHeardAgain()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        _ear.Source.Status.Downtime.ShouldBe(TimeSpan.Zero);

        for (var round = 1; round <= 2; round++)
        {
            await server.KillAsync();
            await _ear.Subscriber.Changed.UntilAsync(() => _ear.Source.Status.State == SourceState.Down, "down");
            await server.StartAsync();
            await _ear.UpAsync();
            await using var api = await server.ConnectAsync();
            await _upstream.Create($"s{round}", "ada", "chrome", Now).PublishAsync(api);
            await _upstream.Delete($"s{round}", "ada", Now.AddSeconds(1)).PublishAsync(api);
            await _ear.EndedAsync(round);
        }
        _ear.Source.Status.Received.ShouldBe(4);
        _ear.Source.Status.Downtime.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(10));
        _ear.Log.Lines.Count(l => l.Contains("nats works again (Messages), after", StringComparison.Ordinal))
            .ShouldBe(2);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData(null)]
    public async Task AWrongPasswordIsToldWithoutAnyCredential(string? password)
    {
        await using var server = await NatsServer.StartAsync(false, "--user", "ada", "--pass", Secret.NatsPassword);
        await _ear.ListenAsync(
            $"nats://someone:{Secret.Wrong}@127.0.0.1:{server.Port}",
            password is null ? null : "ada",
            password is null ? null : Secret.Wrong
        );
        await _ear.Subscriber.Changed.UntilAsync(
            () => _ear.Source.Status.Detail.Contains("NATS_USER", StringComparison.Ordinal),
            "a detail about the user"
        );
        _ear.Source.Status.Detail.ShouldContain($"nats://127.0.0.1:{server.Port}");
        _ear.Log.Lines.Append(_ear.Source.Status.Detail)
            .ShouldAllBe(l => !l.Contains(Secret.Wrong, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheRightPasswordIsTakenFromWhereverItIsGiven(bool inUrl)
    {
        await using var server = await NatsServer.StartAsync(false, "--user", "ada", "--pass", Secret.NatsPassword);
        if (inUrl)
        {
            await _ear.ListenAsync($"nats://ada:{Secret.NatsPassword}@127.0.0.1:{server.Port}");
        }
        else
        {
            // The first server is none: the second is tried too.
            await _ear.ListenAsync($"nats://127.0.0.1:1,{server.Url}", "ada", Secret.NatsPassword);
        }
        await _ear.UpAsync();
        _ear.Source.Status.Detail.ShouldNotContain(Secret.NatsPassword);
    }

    [Fact]
    public async Task AUserThatMayNotSubscribeIsToldWhatToGrant()
    {
        var folder = TestRun.NewGivenFolder();
        var config = Path.Combine(folder, "nats.conf");
        await File.WriteAllTextAsync(
            config,
            "authorization { users = [ { user: ada, password: "
                + Secret.NatsPassword
                + ", permissions: { subscribe: { deny: \"streamspace.session.wake\" } } } ] }",
            Cancel
        );
        await using var server = await NatsServer.StartAsync(false, "-c", config);
        await _ear.ListenAsync(server.Url, "ada", Secret.NatsPassword);
        await _ear.Subscriber.Changed.UntilAsync(
            () => _ear.Source.Status.Detail.Contains("may not subscribe", StringComparison.Ordinal),
            "a detail about the permission"
        );
        _ear.Source.Status.State.ShouldNotBe(SourceState.Up);
    }

    [Theory]
    [InlineData("http://host:4222")]
    [InlineData($"nats://ada:{Secret.Wrong}@host:4222,nats://:bad {Secret.Wrong}")]
    [InlineData("nats://host,,")]
    public void AnAddressThatIsNoneIsRefusedWithoutRepeatingIt(string url)
    {
        var refused = Should.Throw<ArgumentException>(() =>
            new NatsSource(new NatsOptions(url, null, null), TimeProvider.System, () => 0.5, _ear.Log)
        );
        refused.Message.ShouldContain("NATS_URL");
        refused.Message.ShouldNotContain(Secret.Wrong);
    }

    [Fact]
    public async Task ACertificateThatNobodyVouchesForIsNotTrusted()
    {
        var folder = TestRun.NewGivenFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            Now.AddDays(-1),
            Now.AddDays(1)
        );
        await File.WriteAllTextAsync(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem(), Cancel);
        await File.WriteAllTextAsync(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem(), Cancel);
        await using var server = await NatsServer.StartAsync(
            false,
            "--tls",
            "--tlscert",
            Path.Combine(folder, "cert.pem"),
            "--tlskey",
            Path.Combine(folder, "key.pem")
        );
        await _ear.ListenAsync($"tls://127.0.0.1:{server.Port}");
        await _ear.Subscriber.Changed.UntilAsync(
            () => _ear.Source.Status.Detail.Contains("TLS failed", StringComparison.Ordinal),
            "a detail about the certificate"
        );
        _ear.Source.Status.State.ShouldBe(SourceState.Connecting);
    }

    [Fact]
    public async Task AStoppedSourceSaysSo()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        await _ear.StopAsync();
        _ear.Source.Status.State.ShouldBe(SourceState.Stopped);
    }

    public ValueTask DisposeAsync() => _ear.DisposeAsync();
}
