using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>
/// What is acknowledged arrives, waits, or is booked as uncertain because of the clock: a ledger is never content while
/// less has arrived.
/// </summary>
public sealed class WrongClockTests : IAsyncDisposable
{
    private const string Made = "app.made";

    private readonly SettableClock _clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly MemoryStore _store = new();
    private readonly KeptTime _datadog;
    private readonly TelemetryOptions _options = new()
    {
        ApiKey = Secret.ApiKey,
        FlushInterval = TimeSpan.FromSeconds(10),
    };
    private TelemetryPipeline _pipeline;

    public WrongClockTests()
    {
        _datadog = new KeptTime(_clock);
        _pipeline = Make();
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        await _store.DisposeAsync();
        _datadog.Dispose();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    [InlineData(24)]
    [InlineData(-24)]
    public async Task AClockThatIsSetWhileDatadogIsThereCostsNothing(int hours)
    {
        await _pipeline.StartAsync(default);
        for (var i = 0; i < 14; i++)
        {
            await KeepAsync(10);
            if (i is 5 or 10)
            {
                await SetAsync(TimeSpan.FromHours(i == 5 ? hours : -hours));
            }
            else
            {
                await IntervalAsync();
            }
        }
        Ledger.ShouldBe(140, delivered: 140);
        _datadog.Sum(Made).ShouldBe(140);
        _datadog.Overwritten.ShouldBe(0);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    [InlineData(24)]
    public async Task WhatWasSentBeforeAClockWasKnownToBeWrongIsUncertainAndWhatFollowsArrives(int hours)
    {
        _clock.Set(TimeSpan.FromHours(hours));
        _pipeline = Make();
        await _pipeline.StartAsync(default);
        for (var i = 0; i < 5; i++)
        {
            await KeepAsync(10);
            await IntervalAsync();
        }
        _datadog.Sum(Made).ShouldBe(40);
        (Ledger.Accepted, Ledger.Delivered, Ledger.Uncertain).ShouldBe((50, 40, 10));
        Ledger.Reasons["clock"].ShouldBe(10);
        _pipeline.Status.ClockError.ShouldNotBeNull().ShouldContain("stamped by Datadog's clock");
        _pipeline.Status.Warnings.Select(w => w.Sentence).ShouldContain(_pipeline.Status.ClockError);

        // Somebody sets it right.
        _clock.Set(TimeSpan.FromHours(-hours));
        await KeepAsync(10);
        await IntervalAsync();
        await IntervalAsync();
        _datadog.Sum(Made).ShouldBe(50);
        _pipeline.Status.ClockError.ShouldBeNull();
        _datadog.Overwritten.ShouldBe(0);
    }

    [Fact]
    public async Task WhileNobodySaysWhetherAClockThatWasSetIsRightTheFlushIsHeldAndSaidToBe()
    {
        await _pipeline.StartAsync(default);
        await KeepAsync(1);
        await IntervalAsync();
        var last = _pipeline.Status.LastFlush;
        _datadog.IsReachable = false;
        _clock.Set(TimeSpan.FromHours(2));
        for (var i = 0; i < 10; i++)
        {
            await KeepAsync(10);
            _clock.Advance(TimeSpan.FromSeconds(10));
        }
        await Until(() => _pipeline.Status.ClockError is not null);
        _pipeline.Status.ClockError!.ShouldContain("set forward by 120 min");
        _pipeline.Status.ClockError!.ShouldContain("the flush is held");
        _pipeline.Status.LastFlush.ShouldBe(last);
        Ledger.ShouldBe(101, delivered: 1, queued: 100);
        await Should.ThrowAsync<StoreUnavailableException>(async () =>
            await _pipeline.ConfigureAsync(_options with { Tags = ["env:other"] }, default)
        );
        // The way to Datadog can be changed all the same.
        await _pipeline.ConfigureAsync(_options with { Site = "datadoghq.eu" }, default);

        _datadog.IsReachable = true;
        await IntervalAsync();
        await Until(() => Ledger.Queued == 0);
        Ledger.ShouldBe(101, delivered: 101);
        _datadog.Sum(Made).ShouldBe(101);
    }

    [Fact]
    public async Task AMachineThatWasSuspendedGoesOnAsSoonAsDatadogConfirmsItsClock()
    {
        await _pipeline.StartAsync(default);
        await KeepAsync(1);
        await IntervalAsync();
        _clock.Sleep(TimeSpan.FromHours(8));
        await KeepAsync(1);
        await IntervalAsync();
        _datadog.Sum(Made).ShouldBe(2);
        _datadog.Seconds(Made)[1].ShouldBe(_clock.GetUtcNow().ToUnixTimeSeconds());
        _pipeline.Status.ClockError.ShouldBeNull();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(-7)]
    [InlineData(45)]
    public async Task ASmallStepHoldsNothing(int seconds)
    {
        await _pipeline.StartAsync(default);
        await KeepAsync(1);
        await IntervalAsync();
        _datadog.IsReachable = false;
        _clock.Set(TimeSpan.FromSeconds(seconds));
        var before = _pipeline.Status.LastFlush;
        await KeepAsync(1);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await Until(() => _pipeline.Status.LastFlush != before);
        _pipeline.Status.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task AClockThatStepsBackAgainAndAgainNeverRepeatsASecond()
    {
        await _pipeline.StartAsync(default);
        for (var i = 0; i < 40; i++)
        {
            _clock.Set(TimeSpan.FromSeconds(i % 5 == 0 ? -17 : 1));
            await KeepAsync(1);
            _clock.Advance(TimeSpan.FromSeconds(10));
            await SettleAsync();
        }
        await DeliverAsync();
        _datadog.Sum(Made).ShouldBe(40);
        _datadog.Overwritten.ShouldBe(0);
        _datadog.Seconds(Made).ShouldBeUnique();
    }

    [Fact]
    public async Task AStepExpiresNothingOfTheQueue()
    {
        await _pipeline.StartAsync(default);
        await KeepAsync(1);
        await IntervalAsync();
        _datadog.IsReachable = false;
        await KeepAsync(10);
        var before = _pipeline.Status.LastFlush;
        _clock.Advance(TimeSpan.FromSeconds(10));
        await Until(() => _pipeline.Status.LastFlush != before);
        _clock.Set(TimeSpan.FromDays(1));
        for (var i = 0; i < 6; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            await SettleAsync();
        }
        Ledger.ShouldBe(11, delivered: 1, queued: 10);
        _datadog.IsReachable = true;
        await DeliverAsync();
        Ledger.ShouldBe(11, delivered: 11);
        _datadog.Sum(Made).ShouldBe(11);
    }

    [Fact]
    public async Task AProcessThatBeginsWithAWrongClockExpiresNothingOfWhatAnEarlierOneLeft()
    {
        await _pipeline.StartAsync(default);
        _datadog.IsReachable = false;
        await KeepAsync(10);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await Until(() => _pipeline.Status.LastFlush is not null);
        await KeepAsync(5);
        await _pipeline.DisposeAsync();

        _clock.Set(TimeSpan.FromHours(30));
        _pipeline = Make();
        await _pipeline.StartAsync(default);
        await Until(() => MetricsLane.NextTry is not null);
        Ledger.ShouldBe(15, queued: 15);
        _datadog.IsReachable = true;
        // Before the first flush is due, what was left is tried again, and the answer tells the time.
        _clock.Advance(TimeSpan.FromSeconds(5));
        await Until(() => Ledger.Delivered > 0);
        await DeliverAsync();
        await IntervalAsync();
        Ledger.ShouldBe(15, delivered: 15);
        _datadog.Sum(Made).ShouldBe(15);
    }

    [Fact]
    public async Task AfterAWrongClockIsSetBackNoSecondIsUsedTwiceAndNothingIsStampedAhead()
    {
        // Nobody is there to say that it is five minutes ahead.
        _clock.Set(TimeSpan.FromMinutes(5));
        _pipeline = Make();
        await _pipeline.StartAsync(default);
        _datadog.IsReachable = false;
        for (var i = 0; i < 30; i++)
        {
            await KeepAsync(1);
            var before = _pipeline.Status.LastFlush;
            _clock.Advance(TimeSpan.FromSeconds(10));
            await Until(() => _pipeline.Status.LastFlush != before);
        }
        _clock.Set(TimeSpan.FromMinutes(-5));
        _datadog.IsReachable = true;
        await Until(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return _pipeline.Status.ClockError is { } held && held.Contains("the flush is held until then");
        });
        for (var i = 0; i < 40; i++)
        {
            await KeepAsync(1);
            _clock.Advance(TimeSpan.FromSeconds(10));
            await SettleAsync();
        }
        await DeliverAsync();
        Ledger.ShouldBe(70, delivered: 70);
        _datadog.Sum(Made).ShouldBe(70);
        _datadog.Overwritten.ShouldBe(0);
        _pipeline.Status.ClockError.ShouldBeNull();
        _datadog.Seconds(Made)[^1].ShouldBeLessThanOrEqualTo(_clock.Truth.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task ThousandsOfChangesOfTheConfigTakeNoSecondThatIsNotFree()
    {
        await _pipeline.StartAsync(default);
        var first = _clock.GetUtcNow().ToUnixTimeSeconds();
        for (var i = 0; i < 3000; i++)
        {
            await KeepAsync(1);
            // Nothing of this alters what was measured.
            await _pipeline.ConfigureAsync(_options with { QueueMaxBytes = 1_000_000 + i }, default);
            if (i % 10 == 9)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
            }
        }
        await Until(() => _pipeline.Status.LastFlush?.At.ToUnixTimeSeconds() == first + 30);

        for (var i = 0; i < 1000; i++)
        {
            await KeepAsync(1);
            var change = _pipeline.ConfigureAsync(_options with { Tags = [$"turn:{i % 2}"] }, default).AsTask();
            while (!change.IsCompleted)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
                await SettleAsync();
            }
            await change;
        }
        await DeliverAsync();
        _pipeline.Status.LastFlush!.At.ShouldBeLessThanOrEqualTo(_clock.GetUtcNow().AddSeconds(2));
        Ledger.ShouldBe(4000, delivered: 4000);
        _datadog.Sum(Made).ShouldBe(4000);
        _datadog.Overwritten.ShouldBe(0);
    }

    private LaneStatus MetricsLane => _pipeline.Status.Lanes.Single(lane => lane.Lane == Lane.Metrics.Name);

    private LaneLedger Ledger => MetricsLane.Ledger;

    private TelemetryPipeline Make() => new(_store, _options, _clock, () => 0.5, new SearchedLog(), _ => _datadog);

    private async Task KeepAsync(int counts) =>
        await _pipeline.KeepAsync([.. Enumerable.Repeat(Some.Count(Made), counts)], default);

    /// <summary>Sets the clock, and lets one interval pass before Datadog says what time it is.</summary>
    private async Task SetAsync(TimeSpan by)
    {
        using var gate = new Gate();
        _datadog.Gate = gate.Opened;
        _clock.Set(by);
        var before = _pipeline.Status.LastFlush;
        _clock.Advance(TimeSpan.FromSeconds(10));
        await SettleAsync();
        _pipeline.Status.LastFlush.ShouldBe(before, "nobody knows which second it would be");
        gate.Open();
        await Until(() => _pipeline.Status.ClockError?.Contains("held", StringComparison.Ordinal) is not true);
    }

    /// <summary>Lets one interval pass, and waits until what it flushed is settled.</summary>
    private async Task IntervalAsync()
    {
        _clock.Advance(TimeSpan.FromSeconds(10));
        await SettleAsync();
        await Until(() => _pipeline.Status is { ClockError: { } held } && held.Contains("held") || Ledger.Queued == 0);
    }

    // A lane that backs off waits for the clock.
    private async Task DeliverAsync()
    {
        for (var i = 0; i < 20; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            await SettleAsync();
        }
        // One flush that was long in the making leaves the rest to the next.
        await Patience.Until(async () =>
        {
            if (Ledger.Queued == 0)
            {
                return true;
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
            await SettleAsync();
            return false;
        });
    }

    // What is asked of the loop now is asked after all that the clock has brought about.
    private async Task SettleAsync() => await _pipeline.KeepAsync([], default);

    private Task Until(Func<bool> holds) => Patience.Until(holds, () => $"{_pipeline.Status}");
}
