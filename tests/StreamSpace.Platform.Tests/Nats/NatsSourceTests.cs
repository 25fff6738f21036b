using NATS.Client.JetStream;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Nats;

/// <summary>What is heard from a real nats-server.</summary>
public sealed class NatsSourceTests : IAsyncDisposable
{
    private readonly UpstreamMessages _upstream = new(seed: 1);
    private readonly NatsEar _ear = new();

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

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
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();

        var at = Now;
        for (var i = 0; i < 100; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", at).PublishAsync(api);
            await _upstream.Status($"s{i}", "Running", at.AddSeconds(1)).PublishAsync(api);
            await _upstream.Status($"s{i}", "Running", at.AddSeconds(2)).PublishAsync(api);
            await _upstream.Delete($"s{i}", "ada", at.AddSeconds(3)).PublishAsync(api);
        }
        await _ear.EndedAsync(100);

        _ear.Source.Status.Received.ShouldBe(400);
        _ear.Source.Status.Skipped.ShouldBeEmpty();
        _ear.Subscriber.Facts.OfType<SessionCreated>().Count().ShouldBe(100);
        _ear.Subscriber.Facts.OfType<SessionStarted>().Count().ShouldBe(100);
        _ear.Subscriber.Facts.OfType<SessionFact>().Count().ShouldBe(300);
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
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        GC.Collect();
        var at = Now;
        for (var i = 0; i < 500; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", at).PublishAsync(api);
            await _upstream.Status($"s{i}", "Running", at).PublishAsync(api);
            await _upstream.Delete($"s{i}", "ada", at).PublishAsync(api);
        }
        await _ear.EndedAsync(500);
        _ear.Subscriber.Facts.Chunk(3)
            .ShouldAllBe(life => life[0] is SessionCreated && life[1] is SessionStarted && life[2] is SessionEnded);
    }

    [Fact]
    public async Task MalformedMessagesAreCountedByKindAndHurtNothingElse()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var api = await server.ConnectAsync();
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();

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
        await _ear.EndedAsync(1);

        var status = _ear.Source.Status;
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
        _ear.Log.Lines.Count(l => l.Contains("skipped a message", StringComparison.Ordinal)).ShouldBe(4);
        _ear.Log.Lines.ShouldAllBe(l => !l.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ADiskThatDoesNotAnswerForAWhileLosesNothing()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var api = await server.ConnectAsync();
        var gate = new TaskCompletionSource();
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        _ear.Hold(gate.Task);
        const int lives = 10_000;
        for (var i = 0; i < lives; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", Now).PublishAsync(api);
            await _upstream.Delete($"s{i}", "ada", Now.AddSeconds(1)).PublishAsync(api);
        }
        await api.PingAsync(Cancel);
        gate.SetResult();
        await _ear.EndedAsync(lives);
        _ear.Source.Status.Received.ShouldBe(2 * lives);
        _ear.Source.Status.Downtime.ShouldBe(TimeSpan.Zero);
    }

    public ValueTask DisposeAsync() => _ear.DisposeAsync();
}
