using Microsoft.Extensions.Time.Testing;
using NATS.Client.JetStream;
using Shouldly;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Nats;

/// <summary>What a real nats-server stored while nobody listened.</summary>
public sealed class NatsBackfillTests : IAsyncDisposable
{
    private readonly UpstreamMessages _upstream = new(seed: 1);
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly NatsEar _ear;

    public NatsBackfillTests() => _ear = new NatsEar(_clock);

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhatWasPublishedWhileWeWereAwayIsTakenInOnce()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);
        await NatsServer.StoreAsync(api, _upstream.Create("old", "ada", "chrome", Now));
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Subscriber.Facts.Count == 1, "a session");
        await _ear.StopAsync();

        await NatsServer.StoreAsync(api, _upstream.Delete("old", "ada", Now));
        await NatsServer.StoreAsync(api, Enumerable.Range(0, 100).SelectMany(i => Life($"s{i}", Now.AddSeconds(-60))));
        await _ear.ListenAsync(server.Url);
        await _ear.EndedAsync(101);
        await _ear.StopAsync();

        Count<SessionCreated>().ShouldBe(101);
        Count<SessionStarted>().ShouldBe(100);
        Count<SessionHibernated>().ShouldBe(100);
        Count<SessionWoken>().ShouldBe(100);
        Count<SessionEnded>().ShouldBe(101);
        _ear.Log.Lines.ShouldContain(l =>
            l.Contains(
                "Information: After the gap, in 0.0 s: missed messages read back: 602.",
                StringComparison.Ordinal
            )
        );

        // Once more, with nothing new: nothing is told, and nothing was taken out of the platform's work queue.
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        await NatsServer.StoreAsync(api, _upstream.Create("last", "ada", "chrome", Now));
        await _ear.Subscriber.Changed.UntilAsync(() => Count<SessionCreated>() == 102, "the last session");
        _ear.Subscriber.Facts.Select(e => e.Id).Where(id => id is not null).ShouldBeUnique();
        var stream = await NatsServer.StateAsync(api);
        stream.Messages.ShouldBe(2 + 2 + (100 * 9) + 2);
        stream.ConsumerCount.ShouldBe(0);
    }

    [Fact]
    public async Task AFirstStartTakesNothingFromThePast()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await NatsServer.StoreAsync(api, Life("past", Now));
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(9);
        await NatsServer.StoreAsync(api, Life("present", Now));
        await _ear.EndedAsync(1);
        _ear.Subscriber.Facts.OfType<SessionFact>().ShouldAllBe(e => e.Session.Id == "present");
    }

    [Fact]
    public async Task TheCheckpointFollowsWhatIsLive()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);
        await NatsServer.StoreAsync(api, Life("s", Now));
        await _ear.EndedAsync(1);
        await _ear.AdvanceUntilAsync(() => _ear.Kept!.Sequence == 9, "a checkpoint at the end");
        _ear.Subscriber.Facts.OfType<SessionFact>().Count().ShouldBe(5);
        _ear.Source.Status.Received.ShouldBe(6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AServerThatWasKilledIsReadFromWhereItWasLost(bool withoutItsData)
    {
        await using var server = await NatsServer.StartAsync();
        await using (var api = await server.ConnectAsync())
        {
            await NatsServer.CreateStreamsAsync(api);
            await _ear.ListenAsync(server.Url);
            await _ear.KeptAsync(0);
            await NatsServer.StoreAsync(api, [.. Enumerable.Range(0, 5).SelectMany(i => Life($"before{i}", Now))]);
            await _ear.EndedAsync(5);
            await _ear.AdvanceUntilAsync(() => _ear.Kept!.Sequence == 45, "a checkpoint at the end");
        }
        await server.KillAsync();
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Source.Status.State == SourceState.Down, "down");
        if (withoutItsData)
        {
            server.LoseData();
        }
        await server.StartAsync();
        await using var restarted = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(restarted);
        // The source waits for its clock, and hears none of these.
        await NatsServer.StoreAsync(restarted, [.. Enumerable.Range(0, 10).SelectMany(i => Life($"after{i}", Now))]);
        await _ear.AdvanceUntilAsync(() => Count<SessionEnded>() == 15, "15 ended lives");

        Count<SessionCreated>().ShouldBe(15);
        await _ear.KeptAsync(withoutItsData ? 90u : 135u);
        _ear.Source.Status.Detail.Contains("a new one", StringComparison.Ordinal).ShouldBe(withoutItsData);
        _ear.Source.Status.Detail.ShouldContain("missed messages read back: 60");
        (await NatsServer.StateAsync(restarted)).ConsumerCount.ShouldBe(0);
    }

    [Fact]
    public async Task WhatWasHeardAndIsReadBackTooIsCountedOnceWhetherItMakesSenseOrNot()
    {
        await using var server = await NatsServer.StartAsync();
        await using (var api = await server.ConnectAsync())
        {
            await NatsServer.CreateStreamsAsync(api);
            await _ear.ListenAsync(server.Url);
            await _ear.KeptAsync(0);
            // Our clock stands still: all of this is heard, and none of it read.
            await NatsServer.StoreAsync(api, Life("heard", Now));
            for (var i = 0; i < 3; i++)
            {
                await api.PublishAsync("streamspace.session.create", "no JSON"u8.ToArray(), cancellationToken: Cancel);
            }
            await _ear.Subscriber.Changed.UntilAsync(() => _ear.Source.Status.Received == 9, "all of it heard");
            while ((await NatsServer.StateAsync(api)).LastSeq < 12)
            {
                await api.PingAsync(Cancel);
            }
        }
        await server.KillAsync();
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Source.Status.State == SourceState.Down, "down");
        await server.StartAsync();
        await using var restarted = await server.ConnectAsync();
        await NatsServer.StoreAsync(restarted, Life("missed", Now));
        await _ear.AdvanceUntilAsync(() => Count<SessionEnded>() == 2, "the missed life");
        await _ear.KeptAsync(21);

        _ear.Source.Status.Received.ShouldBe(6 + 3 + 6);
        _ear.Source.Status.Skipped.ShouldBe(new Dictionary<string, long> { ["not-json"] = 3 });
        _ear.Source.Status.Detail.ShouldContain("missed messages read back: 6.");
    }

    [Theory]
    [InlineData(1000, 0)]
    [InlineData(9, -1)]
    public async Task AStreamThatLostItsEndIsReadAgain(ulong hadCome, int storedHours)
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await NatsServer.StoreAsync(api, [.. Enumerable.Range(0, 3).SelectMany(i => Life($"s{i}", Now))]);
        var stream = await new NatsJSContext(api).GetStreamAsync("STREAMSPACE_SESSIONS", cancellationToken: Cancel);
        _ear.Keep(new StreamPosition(stream.Info.Created, hadCome, Now.AddHours(storedHours)).ToString());
        await _ear.ListenAsync(server.Url);
        await _ear.EndedAsync(3);
        await _ear.KeptAsync(27);
        _ear.Log.Lines.ShouldContain(l => l.Contains("has lost its end", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatAgedOutIsToldWithItsNumberAndTime()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api, maxAge: TimeSpan.FromSeconds(1));
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);
        await NatsServer.StoreAsync(api, Life("heard", Now));
        await _ear.EndedAsync(1);
        await _ear.AdvanceUntilAsync(() => _ear.Kept!.Sequence == 9, "a checkpoint at the end");
        await _ear.StopAsync();

        await NatsServer.StoreAsync(api, [.. Life("gone", Now), .. Life("gone too", Now)]);
        for (var left = -1L; left != 0; left = (await NatsServer.StateAsync(api)).Messages)
        {
            await api.PingAsync(Cancel);
        }
        await NatsServer.CreateStreamsAsync(api);
        await NatsServer.StoreAsync(api, Life("kept", Now));
        await _ear.ListenAsync(server.Url);
        await _ear.EndedAsync(2);
        await _ear.SaysAsync(
            "missed messages read back: 6; missed messages gone from the stream (it keeps messages for 24 h): 18, copies included, stored after 2"
        );
        int Lines() => _ear.Log.Lines.Count(l => l.Contains("gone from the stream", StringComparison.Ordinal));
        await _ear.Subscriber.Changed.UntilAsync(() => Lines() > 0, "the line");
        Lines().ShouldBe(1);
        Count<SessionCreated>().ShouldBe(2);
    }

    [Fact]
    public async Task WhatIsLiveComesBehindWhatWasMissed()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);
        await NatsServer.StoreAsync(
            api,
            _upstream.Create("sleepy", "ada", "chrome", Now),
            _upstream.Status("sleepy", "Running", Now)
        );
        await NatsServer.StoreAsync(api, _upstream.Create("again", "ada", "chrome", Now));
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Subscriber.Facts.Count == 3, "two sessions");
        await _ear.StopAsync();

        await NatsServer.StoreAsync(api, Enumerable.Range(0, 500).SelectMany(i => Life($"s{i}", Now)));
        await NatsServer.StoreAsync(
            api,
            _upstream.Status("sleepy", "Hibernated", Now),
            _upstream.Delete("again", "ada", Now)
        );
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        // Heard at once, while the 500 lives are still read: the sleep and the end before must not be lost by it.
        await NatsServer.StoreAsync(
            api,
            _upstream.Status("sleepy", "Running", Now),
            _upstream.Create("again", "bob", "code", Now)
        );
        await _ear.Subscriber.Changed.UntilAsync(
            () => Of("again").Count() == 3,
            "the last session",
            () => string.Join(' ', Of("again"))
        );

        Of("sleepy")
            .ShouldBe([
                nameof(SessionCreated),
                nameof(SessionStarted),
                nameof(SessionHibernated),
                nameof(SessionWoken),
            ]);
        Of("again").ShouldBe([nameof(SessionCreated), nameof(SessionEnded), nameof(SessionCreated)]);
    }

    [Fact]
    public async Task ABacklogOfThousandsIsReadInSeconds()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);
        await _ear.StopAsync();
        const int lives = 20_000 / 9;
        await NatsServer.StoreAsync(api, Enumerable.Range(0, lives).SelectMany(i => Life($"s{i}", Now)));
        var begun = TimeProvider.System.GetTimestamp();
        await _ear.ListenAsync(server.Url);
        await _ear.EndedAsync(lives);
        TestContext.Current.SendDiagnosticMessage(
            $"{lives * 9} messages read back in {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:F2} s"
        );
        await _ear.KeptAsync(lives * 9);
        Count<SessionCreated>().ShouldBe(lives);
        _ear.Source.Status.Received.ShouldBe(lives * 6);
        (await NatsServer.StateAsync(api)).Messages.ShouldBe(lives * 9);
    }

    public ValueTask DisposeAsync() => _ear.DisposeAsync();

    // Nine messages in the stream, three of them copies on a platform's subject; six that tell something.
    private UpstreamMessage[] Life(string id, DateTimeOffset at) =>
        [
            _upstream.Create(id, "ada", "chrome", at),
            _upstream.Status(id, "Running", at.AddSeconds(1)),
            _upstream.Hibernate(id, "ada", at.AddSeconds(2)),
            _upstream.Status(id, "Hibernated", at.AddSeconds(3)),
            _upstream.Status(id, "Running", at.AddSeconds(4)),
            _upstream.Delete(id, "ada", at.AddSeconds(5)),
        ];

    private int Count<T>() => _ear.Subscriber.Facts.OfType<T>().Count();

    private IEnumerable<string> Of(string session) =>
        _ear.Subscriber.Facts.OfType<SessionFact>().Where(e => e.Session.Id == session).Select(e => e.GetType().Name);
}
