using System.Net;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Store;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

public sealed class LaneSenderTests
{
    [Fact]
    public async Task WhatALaneLeftBehindIsSentAgainWhenItComesBackAlsoWhenNothingElseHappens()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
        var log = new SearchedLog();
        await using var memory = new MemoryStore();
        var store = new GuardedStore(memory, clock, new Warnings(log, clock));
        var outbox = new Outbox(store, new Ledger(), new DatadogClock(clock));
        var lane = new LaneSender(Lane.Events, outbox, new BackOff(() => 0.5), (_, _) => { }, clock, log);
        using var hanging = new Hanging();
        using var connections = new Connections(_ => hanging);
        lane.Use(
            new DatadogClient(connections, new TelemetryOptions { ApiKey = Secret.ApiKey }, new DatadogClock(clock))
        );
        await memory.AppendAsync(Sample.JournalAppend(Sample.Entry(1), [Sample.Request(1)]), default);
        outbox.Add([
            Sample.Request(1).Header with
            {
                Lane = Lane.Events,
                Destination = new TelemetryOptions().Destination,
                Oldest = clock.GetUtcNow(),
            },
        ]);
        using var stop = new CancellationTokenSource();
        var running = lane.RunAsync(stop.Token);
        await Patience.Until(() => hanging.Requests == 1);

        lane.Restart();
        await Patience.Until(() => lane.Sending.Busy is null);
        hanging.First.SetResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
        await Patience.Until(() => hanging.Requests == 2);
        await stop.CancelAsync();
        await running;
    }

    private sealed class Hanging : HttpMessageHandler
    {
        private int _requests;

        public int Requests => Volatile.Read(ref _requests);

        public TaskCompletionSource<HttpResponseMessage> First { get; } = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token) =>
            Interlocked.Increment(ref _requests) == 1
                ? First.Task
                : Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
    }
}
