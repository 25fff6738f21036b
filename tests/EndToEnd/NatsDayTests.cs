using EndToEnd.Support;
using NATS.Client.Core;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using Xunit;

namespace EndToEnd;

/// <summary>
/// A day of StreamSpace's own messages through a real nats-server, with a restart of it, into the real process; every
/// count and gauge in the sandbox against an account kept apart.
/// </summary>
public sealed class NatsDayTests
{
    [Fact]
    public async Task EverySessionOfADayIsCountedExactlyWhateverNatsRepeats()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var client = await nats.ConnectAsync();
        await NatsServer.CreateStreamsAsync(client);
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["NATS_URL"] = nats.Url }
        );
        await installation.SourceIsAsync("nats", "up");
        var from = TimeProvider.System.GetUtcNow();

        await using var marks = new Marks(from.AddMinutes(-1));
        marks.Watch(installation.Sandbox);
        var day = new NatsDay(7, client, marks);
        day.Plan(lives: 45, seconds: 24);
        await day.PlayAsync(until: 10);
        await SayNonsenseAsync(client);
        await nats.KillAsync();
        await installation.SourceIsAsync("nats", "down");
        await nats.StartAsync();
        await installation.SourceIsAsync("nats", "up");
        await client.PingAsync();
        await day.PlayAsync(until: double.MaxValue);
        var quiet = await marks.ShownAsync(await day.MarkAsync(TimeProvider.System.GetUtcNow()));

        var nonsense = (await installation.StatusAsync()).GetProperty("sources")[0].GetProperty("skipped");
        // Each kind once when it was heard, and once more when the stream was read back.
        nonsense.EnumerateObject().Count().ShouldBe(3, nonsense.ToString());
        nonsense.EnumerateObject().ShouldAllBe(s => s.Value.GetInt64() <= 2);
        (await installation.Host.TerminateAsync()).ShouldBe(0);
        var to = TimeProvider.System.GetUtcNow().AddSeconds(30);

        var judge = new Judge(installation.Sandbox, day.Lives, from.AddMinutes(-1), to);
        await judge.CountsAreExactAsync();
        var windows = await marks.WindowsAsync(to);
        (await judge.ActiveIsRightAtEveryFlushAsync(windows)).ShouldContain(quiet);
        await judge.LastActiveIsRightAsync();
        await judge.DurationsAreRightAtEveryFlushAsync(windows);
        await judge.TotalsAreRightAtTheEndAsync();
        await judge.DistributionsAreExactAsync();
        await judge.EventsAreExactAsync();
        await judge.NothingWasDroppedAsync();
        await PayloadRules.HoldAsync(installation.Sandbox);
    }

    private static async Task SayNonsenseAsync(NatsConnection client)
    {
        await client.PublishAsync("streamspace.session.create", "no JSON"u8.ToArray());
        await client.PublishAsync(
            "streamspace.session.delete",
            """{"event_id":"x1","timestamp":"2026-01-01T00:00:00Z"}"""u8.ToArray()
        );
        await client.PublishAsync(
            "streamspace.session.status",
            """{"event_id":"x2","timestamp":"yesterday","session_id":"s","status":"running"}"""u8.ToArray()
        );
        await client.PublishAsync("streamspace.session.paint", "{}"u8.ToArray());
        await client.PingAsync();
    }
}
