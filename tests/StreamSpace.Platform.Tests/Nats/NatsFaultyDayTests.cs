using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Nats;

/// <summary>The server is killed, and we are stopped, while sessions come and go: the stream itself is the oracle.</summary>
public sealed class NatsFaultyDayTests : IAsyncDisposable
{
    private const int Rounds = 8;
    private const int LivesAtOnce = 40;

    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly NatsEar _ear;

    public NatsFaultyDayTests() => _ear = new NatsEar(_clock);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task WhateverTheStreamHasIsToldOnce(int seed)
    {
        var chance = new Random(seed);
        var upstream = new UpstreamMessages(seed);
        await using var server = await NatsServer.StartAsync();
        var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);

        for (var round = 0; round < Rounds; round++)
        {
            await PublishAsync(upstream, api, $"{round}a");
            var (stopUs, killServer) = (chance.Next(2) == 0, chance.Next(2) == 0);
            if (stopUs)
            {
                await _ear.StopAsync();
            }
            if (killServer)
            {
                // In the midst of what is on its way, so that the stream may lose its end.
                await server.KillAsync();
                await api.DisposeAsync();
                await server.StartAsync();
                api = await server.ConnectAsync();
            }
            await PublishAsync(upstream, api, $"{round}b");
            if (stopUs)
            {
                await _ear.ListenAsync(server.Url);
            }
            _clock.Advance(TimeSpan.FromSeconds(chance.Next(10)));
        }

        await api.PingAsync(TestContext.Current.CancellationToken);
        var stored = await StoredAsync(api);
        await _ear.AdvanceUntilAsync(() => Ended().IsSupersetOf(stored), "every life of the stream");
        _ear.Subscriber.Facts.Select(e => e.Id).Where(id => id is not null).ShouldBeUnique();
        _ear.Subscriber.Facts.OfType<SessionCreated>().Select(e => e.Session.Id).ShouldBeUnique();
        // Each kill takes with it what was on its way.
        stored.Count.ShouldBeGreaterThan(LivesAtOnce);
        await api.DisposeAsync();
    }

    public ValueTask DisposeAsync() => _ear.DisposeAsync();

    private static async Task PublishAsync(UpstreamMessages upstream, NatsConnection api, string name)
    {
        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < LivesAtOnce; i++)
        {
            await upstream.Create($"{name}{i}", "ada", "chrome", now).PublishAsync(api);
            await upstream.Status($"{name}{i}", "Running", now.AddSeconds(1)).PublishAsync(api);
            await upstream.Delete($"{name}{i}", "ada", now.AddSeconds(2)).PublishAsync(api);
        }
    }

    // The sessions that the stream saw created and deleted, by other means than the source's.
    private static async Task<HashSet<string>> StoredAsync(NatsConnection api)
    {
        var stream = await new NatsJSContext(api).GetStreamAsync("STREAMSPACE_SESSIONS");
        stream.Info.State.ConsumerCount.ShouldBe(0);
        var created = new HashSet<string>();
        var deleted = new HashSet<string>();
        for (var sequence = 1UL; sequence <= stream.Info.State.LastSeq; sequence++)
        {
            var message = (await stream.GetAsync(new StreamMsgGetRequest { Seq = sequence })).Message;
            var sessions = message.Subject switch
            {
                "streamspace.session.create" => created,
                "streamspace.session.delete" => deleted,
                _ => null,
            };
            using var body = JsonDocument.Parse(message.Data);
            sessions?.Add(body.RootElement.GetProperty("session_id").GetString()!);
        }
        created.IntersectWith(deleted);
        return created;
    }

    private HashSet<string> Ended() => [.. _ear.Subscriber.Facts.OfType<SessionEnded>().Select(e => e.Session.Id)];
}
