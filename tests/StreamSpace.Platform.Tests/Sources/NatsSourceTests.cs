using NATS.Client.Core;
using NATS.Client.JetStream;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests;

public sealed class NatsSourceTests : IAsyncDisposable
{
    private readonly UpstreamMessages _upstream = new(seed: 1);
    private readonly LogLines _log = new();
    private readonly RecordingListener _listener = new();
    private readonly MemoryRegistryStore _store = new();
    private readonly CancellationTokenSource _stop = new();
    private NatsSource? _source;
    private PlatformWatch? _watch;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EverySessionIsHeardOnceWithAndWithoutJetStream(bool jetStream)
    {
        await using var server = await NatsServer.StartAsync(jetStream);
        await using var api = await server.ConnectAsync();
        if (jetStream)
        {
            await NatsServer.CreateStreamsAsync(api);
        }
        await ListenAsync(server.Url);
        await UpAsync();

        var at = Now;
        for (var i = 0; i < 100; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", at).PublishAsync(api);
            await _upstream.Status($"s{i}", "Running", at.AddSeconds(1)).PublishAsync(api);
            await _upstream.Status($"s{i}", "Running", at.AddSeconds(2)).PublishAsync(api);
            await _upstream.Delete($"s{i}", "ada", at.AddSeconds(3)).PublishAsync(api);
        }
        await EndedAsync(100);

        _source!.Status.Received.ShouldBe(400);
        _source.Status.Skipped.ShouldBeEmpty();
        _listener.Events.OfType<SessionCreated>().Count().ShouldBe(100);
        _listener.Events.OfType<SessionStarted>().Count().ShouldBe(100);
        _listener.Events.OfType<SessionEvent>().Count().ShouldBe(300);
        if (jetStream)
        {
            // Nothing was taken out of the platform's work queue: 400 messages and 200 copies.
            var stream = await new NatsJSContext(api).GetStreamAsync("STREAMSPACE_SESSIONS", cancellationToken: Cancel);
            stream.Info.State.Messages.ShouldBe(600);
            stream.Info.State.ConsumerCount.ShouldBe(0);
        }
    }

    [Fact]
    public async Task MessagesOfSeveralSubjectsKeepTheirOrder()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var api = await server.ConnectAsync();
        await ListenAsync(server.Url);
        await UpAsync();
        GC.Collect();
        var at = Now;
        for (var i = 0; i < 500; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", at).PublishAsync(api);
            await _upstream.Status($"s{i}", "Running", at).PublishAsync(api);
            await _upstream.Delete($"s{i}", "ada", at).PublishAsync(api);
        }
        await EndedAsync(500);
        _listener
            .Events.Chunk(3)
            .ShouldAllBe(life => life[0] is SessionCreated && life[1] is SessionStarted && life[2] is SessionEnded);
    }

    [Fact]
    public async Task MalformedMessagesAreCountedByKindAndHurtNothingElse()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var api = await server.ConnectAsync();
        await ListenAsync(server.Url);
        await UpAsync();

        for (var i = 0; i < 3; i++)
        {
            await api.PublishAsync(
                "streamspace.session.create",
                "secret-in-an-env"u8.ToArray(),
                cancellationToken: Cancel
            );
            await api.PublishAsync(
                "streamspace.session.delete",
                "{\"event_id\":\"secret-in-an-env\"}"u8.ToArray(),
                cancellationToken: Cancel
            );
        }
        await api.PublishAsync(
            "streamspace.session.wake",
            "{\"session_id\":\"s\"}"u8.ToArray(),
            cancellationToken: Cancel
        );
        await _upstream.Status("s", "Dancing", Now).PublishAsync(api);
        await _upstream.Create("good", "ada", "chrome", Now).PublishAsync(api);
        await _upstream.Delete("good", "ada", Now.AddSeconds(1)).PublishAsync(api);
        await EndedAsync(1);

        var status = _source!.Status;
        status.Received.ShouldBe(10);
        status.Skipped.ShouldBe(
            new Dictionary<string, long>
            {
                ["not-json"] = 3,
                ["session-id"] = 3,
                ["timestamp"] = 1,
                ["status"] = 1,
            },
            ignoreOrder: true
        );
        _log.Lines.Count(l => l.Contains("Skipped", StringComparison.Ordinal)).ShouldBe(4);
        _log.Lines.ShouldAllBe(l => !l.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AServerThatIsAwayAtTheStartIsWaitedFor()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await server.KillAsync();
        await ListenAsync(server.Url);
        await _listener.Changed.UntilAsync(
            () => _source!.Status.Detail.Contains("check NATS_URL", StringComparison.Ordinal),
            "a detail that says what to do"
        );
        _source!.Status.State.ShouldBe(SourceState.Connecting);

        await server.StartAsync();
        await UpAsync();
        await using var api = await server.ConnectAsync();
        await _upstream.Create("s", "ada", "chrome", Now).PublishAsync(api);
        await _upstream.Delete("s", "ada", Now.AddSeconds(1)).PublishAsync(api);
        await EndedAsync(1);
        _source.Status.Deaf.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task AServerThatIsKilledAndComesBackIsHeardAgain()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await ListenAsync(server.Url);
        await UpAsync();
        _source!.Status.Deaf.ShouldBe(TimeSpan.Zero);

        for (var round = 1; round <= 2; round++)
        {
            await server.KillAsync();
            await _listener.Changed.UntilAsync(() => _source.Status.State == SourceState.Down, "down");
            await server.StartAsync();
            await UpAsync();
            await using var api = await server.ConnectAsync();
            await _upstream.Create($"s{round}", "ada", "chrome", Now).PublishAsync(api);
            await _upstream.Delete($"s{round}", "ada", Now.AddSeconds(1)).PublishAsync(api);
            await EndedAsync(round);
        }
        _source.Status.Received.ShouldBe(4);
        _source.Status.Deaf.ShouldBeInRange(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(40));
        _log.Lines.Count(l => l.Contains("is heard again; nothing was for", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData(null)]
    public async Task AWrongPasswordIsToldWithoutAnyCredential(string? password)
    {
        await using var server = await NatsServer.StartAsync(false, "--user", "ada", "--pass", "right-secret");
        await ListenAsync(
            $"nats://someone:url-secret@127.0.0.1:{server.Port}",
            password is null ? null : "ada",
            password is null ? null : "wrong-secret"
        );
        await _listener.Changed.UntilAsync(
            () => _source!.Status.Detail.Contains("NATS_USER", StringComparison.Ordinal),
            "a detail about the user"
        );
        _source!.Status.Detail.ShouldContain($"nats://127.0.0.1:{server.Port}");
        _log.Lines.Append(_source.Status.Detail).ShouldAllBe(l => !l.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheRightPasswordIsTakenFromWhereverItIsGiven(bool inUrl)
    {
        await using var server = await NatsServer.StartAsync(false, "--user", "ada", "--pass", "right-secret");
        if (inUrl)
        {
            await ListenAsync($"nats://ada:right-secret@127.0.0.1:{server.Port}");
        }
        else
        {
            // The first server is none: the second is tried too.
            await ListenAsync($"nats://127.0.0.1:1,{server.Url}", "ada", "right-secret");
        }
        await UpAsync();
        _source!.Status.Detail.ShouldNotContain("secret");
    }

    [Fact]
    public async Task AUserThatMayNotSubscribeIsToldWhatToGrant()
    {
        using var folder = new TempFolder();
        var config = folder.File("nats.conf");
        await File.WriteAllTextAsync(
            config,
            "authorization { users = [ { user: ada, password: x, permissions: { subscribe: { deny: \"streamspace.session.wake\" } } } ] }",
            Cancel
        );
        await using var server = await NatsServer.StartAsync(false, "-c", config);
        await ListenAsync(server.Url, "ada", "x");
        await _listener.Changed.UntilAsync(
            () => _source!.Status.Detail.Contains("may not subscribe", StringComparison.Ordinal),
            "a detail about the permission"
        );
        _source!.Status.State.ShouldNotBe(SourceState.Up);
    }

    [Theory]
    [InlineData("http://host:4222")]
    [InlineData("nats://ada:url-secret@host:4222,nats://:bad url-secret")]
    [InlineData("nats://host,,")]
    public void AnAddressThatIsNoneIsRefusedWithoutRepeatingIt(string url)
    {
        var refused = Should.Throw<ArgumentException>(() =>
            new NatsSource(new NatsSourceOptions(url, null, null), TimeProvider.System, () => 0.5, _log)
        );
        refused.Message.ShouldContain("NATS_URL");
        refused.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task AStoppedSourceSaysSo()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await ListenAsync(server.Url);
        await UpAsync();
        await _stop.CancelAsync();
        await _running;
        _source!.Status.State.ShouldBe(SourceState.Stopped);
    }

    [Fact]
    public async Task ASlowListenerLosesNothing()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var api = await server.ConnectAsync();
        var gate = new TaskCompletionSource();
        await ListenAsync(server.Url, hold: gate.Task);
        await UpAsync();
        const int lives = 10_000;
        for (var i = 0; i < lives; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", Now).PublishAsync(api);
            await _upstream.Delete($"s{i}", "ada", Now.AddSeconds(1)).PublishAsync(api);
        }
        await api.PingAsync(Cancel);
        gate.SetResult();
        await EndedAsync(lives);
        _source!.Status.Received.ShouldBe(2 * lives);
        _source.Status.Deaf.ShouldBe(TimeSpan.Zero);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (_watch is not null)
        {
            await _watch.DisposeAsync();
        }
        _store.Dispose();
        _stop.Dispose();
    }

    private async Task ListenAsync(string url, string? user = null, string? password = null, Task? hold = null)
    {
        var clock = TimeProvider.System;
        _source = new NatsSource(new NatsSourceOptions(url, user, password), clock, () => 0.1, _log);
        _watch = new PlatformWatch([_source], _store, demo: false, clock, () => 0.1, _log);
        await _watch.AttachAsync(
            "listener",
            async (batch, token) =>
            {
                if (!batch.Baseline && hold is not null)
                {
                    await hold;
                }
                await _listener.TakeAsync(batch, token);
            },
            CancellationToken.None
        );
        _running = _watch.RunAsync(_stop.Token);
    }

    private Task UpAsync() => _listener.Changed.UntilAsync(() => _source!.Status.State == SourceState.Up, "up");

    private Task EndedAsync(int lives) =>
        _listener.Changed.UntilAsync(
            () => _listener.Events.OfType<SessionEnded>().Count() >= lives,
            $"{lives} ended lives",
            () =>
                $"{_listener.Events.OfType<SessionEnded>().Count()}; {_source!.Status}; {string.Join('\n', _log.Lines)}"
        );
}
