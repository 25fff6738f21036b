using System.Collections.Concurrent;
using System.Net;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>How long a lane waits, and for what.</summary>
public sealed class LaneWaitTests : AnsweredTests
{
    [Fact]
    public async Task AWaitThatDatadogAskedForOutlastsChangesOfAnythingButTheWayThere()
    {
        var asked = new ConcurrentQueue<DateTimeOffset>();
        using var way = new Way(
            (_, _) =>
            {
                asked.Enqueue(Clock.GetUtcNow());
                var answer = Answer(HttpStatusCode.TooManyRequests, """{"errors":["slow"]}""");
                answer.Headers.Add("Retry-After", "600");
                return Task.FromResult(answer);
            }
        );
        await using var pipeline = Start(way);
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        await LaneAsync(pipeline, l => l.State == LaneState.BackingOff);
        var options = new TelemetryOptions { ApiKey = Secret.ApiKey };
        for (var i = 0; i < 5; i++)
        {
            // Each flush has a second of its own.
            Clock.Advance(TimeSpan.FromSeconds(1));
            await pipeline.ConfigureAsync(options with { Tags = [$"team:{i}"] }, CancellationToken.None);
        }
        Clock.Advance(TimeSpan.FromSeconds(585));
        Clock.Advance(TimeSpan.FromSeconds(11));
        await LaneAsync(pipeline, _ => asked.Count == 2);
        (asked.Last() - asked.First()).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(600));

        await pipeline.ConfigureAsync(options with { ApiKey = Secret.ApiKey[1..] + "0" }, CancellationToken.None);
        await LaneAsync(pipeline, _ => asked.Count == 3);
    }

    [Fact]
    public async Task AnAnswerThatComesAfterItsTimeKeepsNoConnection()
    {
        var asked = new TaskCompletionSource();
        var late = new TaskCompletionSource<HttpResponseMessage>();
        using var way = new Way(
            (_, _) =>
            {
                asked.TrySetResult();
                return late.Task;
            }
        );
        await using var pipeline = Start(way);
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        await asked.Task;
        Clock.Advance(TimeSpan.FromSeconds(20));
        await LaneAsync(pipeline, l => l.State == LaneState.BackingOff);

        using var answer = Answer(HttpStatusCode.Accepted, "{}");
        late.SetResult(answer);
        await LaneAsync(pipeline, _ => Throws(() => answer.Content));

        static bool Throws(Func<HttpContent> content)
        {
            try
            {
                _ = content().ReadAsStream();
                return false;
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
        }
    }

    [Fact]
    public async Task TheLongestWaitThatOneOfManyAnswersAsksForHolds()
    {
        var requests = 0;
        using var all = new SemaphoreSlim(0);
        using var way = new Way(
            async (_, token) =>
            {
                var number = Interlocked.Increment(ref requests);
                if (number == 8)
                {
                    all.Release(8);
                }

                await all.WaitAsync(token);
                var answer = Answer(HttpStatusCode.TooManyRequests, """{"errors":["slow"]}""");
                answer.Headers.Add("Retry-After", $"{100 * (1 + (number % 4))}");
                return answer;
            }
        );
        await using var pipeline = Start(way);
        await pipeline.StartAsync(CancellationToken.None);
        var events = Enumerable.Range(0, 8).Select(i => new DatadogEvent($"t{i}", "x", Clock.GetUtcNow())).ToList();
        await pipeline.KeepAsync(events, CancellationToken.None);
        var lane = await LaneAsync(pipeline, l => l.State == LaneState.BackingOff);
        lane.NextTry.ShouldBe(Clock.GetUtcNow().AddSeconds(400));
    }
}
