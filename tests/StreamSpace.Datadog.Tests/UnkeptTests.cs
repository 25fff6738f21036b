using AgentlessDatadog;
using AgentlessDatadog.Store.Sqlite;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What becomes of facts that the plugin cannot keep.</summary>
public sealed class UnkeptTests
{
    [Fact]
    public async Task FactsThatTheDiskDoesNotTakeAreRefusedAndTakenOnceWhenTheyComeAgain()
    {
        FailingStore? store = null;
        var plugin = new DatadogPlugin
        {
            MakePipeline = (path, options, context) =>
            {
                var failing = FailingStore.Before(new SqliteStore(path, context.Clock));
                store = (FailingStore)failing;
                return PluginRun.PipelineOn(failing, options, context);
            },
        };
        var host = new HostStandIn
        {
            Environment = new Dictionary<string, string> { ["DD_DD_URL"] = "http://127.0.0.1:1" },
        };
        await plugin.LoadAsync(host, CancellationToken.None);
        (await plugin.ConfigureAsync(new([]), CancellationToken.None)).ShouldBeEmpty();
        // However long the disk takes by the host's clock, it is not late: that would be an event more.
        var at = host.Clock.GetUtcNow().AddDays(1);
        var batch = new FactBatch("log", [Some.Login("ada", at) with { Sequence = 1 }]);
        var before = Accepted();
        store!.Fails = true;
        await Should.ThrowAsync<StoreUnavailableException>(async () =>
            await plugin.HandleAsync(batch, CancellationToken.None)
        );
        Accepted().ShouldBe(before);

        store.Fails = false;
        for (var taken = 0; taken < 3; )
        {
            try
            {
                await plugin.HandleAsync(batch, CancellationToken.None);
                taken++;
            }
            // The store is looked at again after a while, by the clock of the host.
            catch (StoreUnavailableException)
            {
                host.FakeClock.Advance(TimeSpan.FromSeconds(1));
            }
        }
        Accepted().ShouldBe(before + 1, "the log-in's event");
        await plugin.UnloadAsync(new CancellationToken(canceled: true));

        long Accepted() =>
            plugin.Status["lanes"]!.AsArray().Single(lane => (string?)lane!["lane"] == "events")!["ledger"]![
                "accepted"
            ]!.GetValue<long>();
    }

    [Fact]
    public async Task EachFactOfAnHourInWhichTheDiskFailsCountsOnceAndGaugesGoOn()
    {
        FailingStore store = null!;
        await using var run = await PluginRun.StartAsync(before: behind =>
        {
            var failing = FailingStore.Before(behind);
            store = (FailingStore)failing;
            return failing;
        });
        run.ApplySnapshot(Some.Session("s1", run.Now));
        List<PlatformFact> log = [];
        var (cursor, failures) = (0, 0);
        await HappenAsync();
        await run.FlushAsync();
        store.Fails = true;
        for (var i = 0; i < 12; i++)
        {
            await HappenAsync();
            await HappenAsync();
            await run.FlushAsync(seconds: 300);
        }
        failures.ShouldBe(24);
        run.Plugin.ReadinessError.ShouldBe("The disk is full.");
        (await run.PointsAsync("sum:streamspace.session.active{*}.rollup(max, 1)"))
            .Values.Single()
            .Count.ShouldBeGreaterThan(12, "gauges");

        store.Fails = false;
        await Patience.Until(() =>
        {
            run.Host.FakeClock.Advance(TimeSpan.FromMilliseconds(100));
            return run.Plugin.ReadinessError is null;
        });
        await HappenAsync();
        cursor.ShouldBe(26);
        await run.FlushAsync();
        (await run.SumAsync("sum:streamspace.user.login{*}.as_count()")).Values.Sum().ShouldBe(26);
        await run.UnloadAsync();
        (await run.EventsAsync()).Count(e => e.GetProperty("title").GetString() == "User Logged In").ShouldBe(26);

        // As a host does: all beyond the cursor, which moves once they are taken.
        async Task HappenAsync()
        {
            log.Add(Some.Login("ada", run.Now) with { Sequence = log.Count + 1 });
            try
            {
                await run.Plugin.HandleAsync(new FactBatch("log", log[cursor..]), CancellationToken.None);
                cursor = log.Count;
            }
            catch (StoreUnavailableException)
            {
                failures++;
            }
        }
    }

    [Fact]
    public async Task AKeyFileHasChangedUntilWhatItHoldsIsTaken()
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        await File.WriteAllTextAsync(file, Secret.Wrong);
        var files = new KeyFiles(new Dictionary<string, string> { ["DD_API_KEY_FILE"] = file });
        files.Changed().ShouldBeTrue();
        files.Acknowledge();
        files.Changed().ShouldBeFalse();

        await File.WriteAllTextAsync(file, Secret.ApiKey);
        files.Changed().ShouldBeTrue();
        files.Changed().ShouldBeTrue("it could not be taken");
        files.Acknowledge();
        files.Changed().ShouldBeFalse();
        File.Delete(file);
    }
}
