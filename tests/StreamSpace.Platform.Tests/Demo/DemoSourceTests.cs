using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Demo;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Demo;

public class DemoSourceTests
{
    [Fact]
    public void TheSameSeedAndClockInventTheSameDay()
    {
        Day(seed: 7, seconds: 300).SelectMany(s => s).ShouldBe(Day(seed: 7, seconds: 300).SelectMany(s => s));
        Day(seed: 7, seconds: 10).SelectMany(s => s).ShouldNotBe(Day(seed: 8, seconds: 10).SelectMany(s => s));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void TheFirstTenSecondsShowOneOfEverything(int seed)
    {
        var told = Tell(Day(seed, seconds: 10));
        told.Sessions.ShouldNotBeEmpty();
        told.Usages.ShouldNotBeEmpty();
        told.Users.ShouldNotBeEmpty();
        told.Facts.Select(e => e.GetType())
            .Distinct()
            .ShouldBe(
                [
                    typeof(SessionCreated),
                    typeof(SessionStarted),
                    typeof(SessionHibernated),
                    typeof(SessionWoken),
                    typeof(SessionFailed),
                    typeof(SessionEnded),
                    typeof(UserCreated),
                    typeof(UserLoggedIn),
                    typeof(UserLoggedOut),
                ],
                ignoreOrder: true
            );
    }

    [Fact]
    public void ItBeginsWithAPlatformAtWork()
    {
        var told = Tell(Day(seed: 1, seconds: 1));
        var found = told.Registry.Snapshot.Sessions;
        found.Count(s => s.State == SessionState.Running).ShouldBeGreaterThan(10);
        found.Count(s => s.State == SessionState.Hibernated).ShouldBeGreaterThan(3);
        found.ShouldAllBe(s => s.Template != null && s.User.Name != null && s.CreatedAt < Some.Morning);
        told.Users.ShouldHaveSingleItem().ShouldBeInRange(25, 40);
        told.Facts.OfType<SessionCreated>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(42)]
    public void ALongDayStaysBelievable(int seed)
    {
        const int hours = 4;
        var told = Tell(Day(seed, hours * 3600));

        var counts = told.Registry.Counts;
        counts[SessionState.Running].ShouldBeInRange(5, 40);
        counts.Values.Sum().ShouldBeInRange(12, 45);
        told.Registry.Snapshot.Users!.Value.ShouldBeInRange(25, 60);
        var created = told.Facts.OfType<SessionCreated>().Count();
        told.Facts.OfType<SessionFailed>().Count().ShouldBeInRange(1, created / 8);
        told.Facts.OfType<SessionCreated>().Select(e => e.Session.Template).Distinct().Count().ShouldBeGreaterThan(5);
        told.Facts.Select(e => e.Id).ShouldBeUnique();

        foreach (var session in told.Usages.GroupBy(m => m.LifeId))
        {
            session.ShouldAllBe(m => m.CpuPercent >= 0 && m.CpuPercent <= 100 && m.MemoryBytes > 0);
            var storage = session.Select(m => m.StorageBytes!.Value).ToList();
            storage.ShouldBe(storage.Order());
            var cpu = session.Select(m => m.CpuPercent!.Value).ToList();
            cpu.Zip(cpu.Skip(1), (a, b) => Math.Abs(a - b)).DefaultIfEmpty().Max().ShouldBeLessThan(35);
        }
    }

    [Fact]
    public void EveryMinuteMovesEveryChart()
    {
        var minutes = Day(seed: 3, seconds: 600).Chunk(60).ToList();
        foreach (var minute in minutes)
        {
            var seen = minute.SelectMany(s => s).ToList();
            seen.OfType<UsageMeasured>().Count().ShouldBeGreaterThan(60);
            seen.OfType<CreateRequested>().ShouldNotBeEmpty();
            seen.OfType<UserActed>().ShouldNotBeEmpty();
        }
    }

    [Fact]
    public async Task ASecondIsInventedEverySecond()
    {
        var clock = new FakeTimeProvider(Some.Morning);
        var source = new DemoSource(seed: 1, clock);
        var output = Channel.CreateUnbounded<ObservationBatch>();
        using var stop = new CancellationTokenSource();
        source.Status.State.ShouldBe(SourceState.Connecting);
        var running = source.RunAsync(output.Writer, null, stop.Token);

        for (var second = 0; second < 3; second++)
        {
            var batch = await output.Reader.ReadAsync(TestContext.Current.CancellationToken);
            batch.Observations.ShouldAllBe(o => o.At == Some.At(second));
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        source.Status.State.ShouldBe(SourceState.Up);
        await stop.CancelAsync();
        await running;
        source.Status.State.ShouldBe(SourceState.Stopped);
    }

    private static IEnumerable<IReadOnlyList<Observation>> Day(int seed, int seconds)
    {
        var day = new DemoDay(seed, Some.Morning);
        return Enumerable.Range(0, seconds).Select(second => day.Step(Some.At(second))).ToList();
    }

    private static Telling Tell(IEnumerable<IReadOnlyList<Observation>> day)
    {
        var told = new Telling();
        foreach (var (second, seen) in day.Index())
        {
            told.Tick(second).See([.. seen]);
        }
        return told;
    }
}
