using System.Net.Http.Json;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>
/// The long day: one StreamSpace that writes to Kubernetes, PostgreSQL and NATS as upstream does, and everything that
/// can go wrong with it, with the servers and with us. The platform's clocks are stepped; ours, that of a real process,
/// is not.
/// </summary>
public sealed class LongDayTests : IAsyncLifetime
{
    private readonly PlatformClock _apiClock = new();
    private readonly PlatformClock _clusterClock = new();
    private StreamSpaceServers _servers = null!;
    private Installation _installation = null!;

    // ./test.sh --soak day=100 sets it.
    private static int Parts => int.TryParse(Environment.GetEnvironmentVariable("SOAK_DAY"), out var parts) ? parts : 7;

    public async ValueTask InitializeAsync() => _servers = await StreamSpaceServers.StartAsync(_clusterClock);

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Fact]
    public async Task EveryCountAndEveryFlushOfALongDayIsRightWhateverIsKilledCutOrSetMeanwhile()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {Parts}");
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        await using var marks = new Marks(from);
        await using var day = new LongDay(_servers, _apiClock, seed: Parts, marks);
        await day.BeginAsync();
        _installation = await _servers.AttachAsync();
        (await _installation.Http.PutAsJsonAsync("/api/plugins/datadog/config", new { enableLogs = true }))
            .EnsureSuccessStatusCode()
            .Dispose();
        marks.Watch(_installation.Sandbox);
        var quiet = new List<DateTimeOffset>();
        var disturb = new Disturbances(_servers, day, _installation, _apiClock, _clusterClock);

        for (var part = 0; part < Parts; part++)
        {
            Plan(day, disturb, part % 7);
            await day.PlayAsync();
            await disturb.HealAsync();
            quiet.Add(await marks.ShownAsync(await day.MarkAsync(TimeProvider.System.GetUtcNow())));
        }

        await ArrivedAsync();
        (await _installation.Host.TerminateAsync()).ShouldBe(0);
        day.Untraceable.ShouldBeGreaterThan(0);
        var judge = JudgeNow();
        var end = TimeProvider.System.GetUtcNow().AddSeconds(30);
        var windows = await marks.WindowsAsync(end);
        var lag = await marks.LagsAsync(await judge.FlushesAsync(), end);
        var errors = new List<string>();
        await HoldAsync(judge.CountsAreExactAsync);
        await HoldAsync(() => judge.UsersAreExactAsync(day.Users));
        await HoldAsync(async () =>
        {
            var exact = await judge.ActiveIsRightAtEveryFlushAsync(Window);
            quiet.ShouldBeSubsetOf(exact, "when nothing is under way there is one right number");
        });
        await HoldAsync(judge.NobodyElseIsActiveAsync);
        await HoldAsync(() => judge.FinalDurationsAreRightAsync(Doubt));
        await HoldAsync(judge.TotalsAreRightAtTheEndAsync);
        var traces = new TraceJudge(_installation.Sandbox, day.Known);
        await HoldAsync(traces.NoSpanIsAnOrphanOrRepeatedAsync);
        await HoldAsync(() => traces.EachLifeIsTracedOnceAsync(Doubt, TimeProvider.System.GetUtcNow()));
        await HoldAsync(traces.EachLifeIsLoggedOnceAsync);
        await HoldAsync(judge.NothingWasDroppedAsync);
        await HoldAsync(() => PayloadRules.HoldAsync(_installation.Sandbox));
        _servers.Cluster.Complaints.ShouldBeEmpty();
        errors.ShouldBeEmpty();

        // A day takes long: all that is wrong with it is told.
        async Task HoldAsync(Func<Task> rule)
        {
            try
            {
                await rule();
            }
            catch (ShouldAssertException e)
            {
                errors.Add(e.Message);
            }
        }

        Judge JudgeNow() => new(_installation.Sandbox, day.Known, from, TimeProvider.System.GetUtcNow().AddSeconds(30));

        // Until every count is right, or will not be: that is judged when nothing can come any more.
        async Task ArrivedAsync()
        {
            using var patience = new CancellationTokenSource(Patience.Enough);
            using var again = new PeriodicTimer(TimeSpan.FromSeconds(1));
            while (!patience.IsCancellationRequested)
            {
                try
                {
                    await JudgeNow().CountsAreExactAsync();
                    await JudgeNow().UsersAreExactAsync(day.Users);
                    return;
                }
                catch (ShouldAssertException)
                {
                    await again.WaitForNextTickAsync();
                }
            }
        }

        // What the flush knows, or what was true since we could no longer see all.
        (DateTimeOffset From, DateTimeOffset To) Window(DateTimeOffset flush)
        {
            var (begin, end) = windows(flush);
            var blind = day.Blind.Where(b => b.From <= end && b.To >= begin).Select(b => b.From);
            return (blind.Append(begin).Min(), end);
        }

        // Kubernetes' own times have whole seconds; an end is dated when we saw it; clocks were set.
        double Doubt(PlayedLife life) =>
            1
            + lag(life.Ended!.Value).TotalSeconds
            + day.Blind.Where(b => b.From <= life.Ended && b.To >= life.Created).Sum(b => (b.To - b.From).TotalSeconds)
            + day.Steps.Where(s => s.At >= life.Created && s.At <= life.Ended).Sum(s => s.By.TotalSeconds);
    }

    private static void Plan(LongDay day, Disturbances disturb, int kind)
    {
        day.PlanPart(calm: kind == 0);
        if (kind != 4)
        {
            day.PlanRefusal(0.1);
        }
        switch (kind)
        {
            case 0:
                day.PlanFlash(1, Origin.Api);
                day.PlanFlash(1.5, Origin.Kubectl);
                break;
            case 1: // We crash while NATS does.
                day.At(1.2, disturb.KillHostAsync);
                day.At(1.2, disturb.StartHostAsync);
                day.At(1.8, disturb.KillNatsAsync);
                day.At(3, disturb.StartNatsAsync);
                break;
            case 2: // Kubernetes is away, and forgets.
                day.At(1, disturb.StopKubernetesAsync);
                day.PlanFlash(1.5, Origin.Api);
                day.PlanFlash(1.5, Origin.Kubectl);
                day.At(2.5, disturb.StartKubernetesExpiredAsync);
                break;
            case 3: // PostgreSQL crashes, and we do so twice.
                day.At(1, disturb.KillPostgresAsync);
                day.At(1.5, disturb.KillHostAsync);
                day.At(2, disturb.StartHostAsync);
                day.At(2.8, disturb.StartPostgresAsync);
                day.At(3.4, disturb.KillHostAsync);
                day.At(3.4, disturb.StartHostAsync);
                break;
            case 4: // While we are down, NATS loses all that it had.
                day.At(1, disturb.KillHostAsync);
                day.PlanFlash(1.1, Origin.Api);
                day.PlanFlash(1.1, Origin.Kubectl);
                day.At(2, disturb.LoseNatsAsync);
                day.At(2.3, disturb.StartNatsAsync);
                day.At(2.6, disturb.StartHostAsync);
                day.At(3.2, disturb.RestartReplicaAsync);
                break;
            case 5: // Clocks are set, watches cut, a replica replaced, and we crash.
                day.At(0.5, disturb.Step(api: 37, cluster: 37));
                day.At(1, disturb.KillNatsAsync);
                day.At(1.5, disturb.Step(api: 20, cluster: 0));
                day.PlanFlash(1.6, Origin.Template);
                day.At(2, disturb.CutWatchesAsync);
                day.At(2.4, disturb.StartNatsAsync);
                day.At(2.8, disturb.RestartReplicaAsync);
                day.At(3.2, disturb.KillHostAsync);
                day.At(3.2, disturb.StartHostAsync);
                break;
            default: // We are stopped for a while in which all else is restarted.
                day.At(0.8, disturb.StopHostAsync);
                day.PlanFlash(1.2, Origin.Api);
                day.PlanFlash(1.2, Origin.Kubectl);
                day.At(1.6, disturb.Step(api: -57, cluster: -37));
                day.At(2, disturb.StopKubernetesAsync);
                day.At(2, disturb.KillNatsAsync);
                day.At(2, disturb.KillPostgresAsync);
                day.At(2.5, disturb.StartKubernetesExpiredAsync);
                day.At(2.5, disturb.StartNatsAsync);
                day.At(2.5, disturb.StartPostgresAsync);
                day.At(3, disturb.StartHostAsync);
                break;
        }
    }
}
