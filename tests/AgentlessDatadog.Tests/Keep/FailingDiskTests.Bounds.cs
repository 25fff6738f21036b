using System.Text;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <content>What memory bears, and what comes of everything at once.</content>
public sealed partial class FailingDiskTests
{
    [Fact]
    public async Task MemoryHasABoundBeyondWhichAlsoWhatMayBeHeldIsRefused()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null }, _store);
        _store.IsFull = true;
        var text = new string('x', 4000);
        var batch = Enumerable.Range(0, 1000).Select(i => Event(rig, $"told {i}") with { Text = text }).ToArray();
        var kept = 0;
        var full = await Should.ThrowAsync<StoreUnavailableException>(async () =>
        {
            while (kept < 64)
            {
                await rig.Pipeline.KeepOrHoldAsync([], batch, default);
                kept++;
            }
        });
        full.Message.ShouldContain("memory");
        kept.ShouldBeInRange(12, 16, "64 MiB of requests of a little more than 4,000 bytes");
        rig.Ledger(Lane.Events).ShouldBe(kept * 1000, queued: kept * 1000);

        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        (await _store.ContentsAsync()).Outbox.Count.ShouldBe(kept * 1000);
    }

    [Fact]
    public async Task AStoreThatDoesNotAnswerIsLetGoAndWhatItWasAtIsTakenInWhenItDoes()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        gauge.Set(1);
        var unsure = rig.KeepAsync(Some.Count(value: 5)).AsTask();
        await rig.Until(() => _store.Appends == 1);
        var asked = rig.Clock.GetUtcNow();
        await rig.Until(() => unsure.IsCompleted, TimeSpan.FromSeconds(1));
        (rig.Clock.GetUtcNow() - asked).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(10));
        var error = await Should.ThrowAsync<StoreUnavailableException>(unsure);
        error.Message.ShouldContain("may have been kept or not");
        error.MayBeKept.ShouldBeTrue();
        await rig.Until(() => rig.FarEnd.Series.Any(s => s.Metric == "app.level"), TimeSpan.FromSeconds(1));
        rig.Pipeline.CannotKeep.ShouldNotBeNull().ShouldContain("does not answer");
        // Nobody has asked the store for this one.
        error = await Should.ThrowAsync<StoreUnavailableException>(() =>
            rig.KeepAsync(Some.Count(value: 100)).AsTask()
        );
        error.MayBeKept.ShouldBeFalse();

        gate.Open();
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Some.Count(value: 2));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(7);
        await StoreIsEvenAsync(rig);
    }

    [Fact]
    public async Task WhoAsksAgainWhileTheStoreIsStillAtItIsNotToldThatItKeeps()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var first = rig.KeepAsync(Some.Count() with { Id = "key" }).AsTask();
        await rig.Until(() => first.IsCompleted, TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<StoreUnavailableException>(first);

        var again = rig.KeepAsync(Some.Count() with { Id = "key" }).AsTask();
        await again.ContinueWith(_ => { }, TaskScheduler.Default);
        gate.Open();
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Some.Count() with { Id = "key" });
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(1);
        (await Should.ThrowAsync<StoreUnavailableException>(again)).MayBeKept.ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task HoweverTheDiskAndTheFarEndFailEverythingAcceptedArrivesOnceAndTheStoreAgrees(int seed)
    {
        var chance = new Random(seed);
        await using var rig = await Rig.StartAsync(store: _store);
        var accepted = 0;
        for (var step = 0; step < 300; step++)
        {
            switch (chance.Next(8))
            {
                case 0:
                    _store.IsFull = chance.Next(2) == 0;
                    break;
                case 1:
                    var status = chance.Next(2) == 0 ? 202 : 503;
                    rig.FarEnd.Answer = _ => new FarEndAnswer(status);
                    break;
                case 2:
                    await rig.FlushAsync();
                    break;
                case 3:
                    rig.Clock.Advance(TimeSpan.FromSeconds(3));
                    break;
                case 4:
                    try
                    {
                        await rig.KeepAsync(Some.Count(value: step));
                        accepted += step;
                    }
                    catch (StoreUnavailableException)
                    {
                        // Refused, so that it must not arrive.
                    }
                    break;
                default:
                    await HoldAsync(rig, Some.Count(value: step));
                    accepted += step;
                    break;
            }
        }
        _store.IsFull = false;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Check.Faults.ShouldBeEmpty();
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(accepted);
        await StoreIsEvenAsync(rig);
    }
}
