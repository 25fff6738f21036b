using System.Diagnostics;
using Shouldly;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Measures, and is run only when asked for by name.</summary>
public class TenThousandTests(ITestOutputHelper output)
{
    private const int Count = 10_000;

    [Fact(Explicit = true)]
    public async Task TenThousandSessionsAreListedAndWatched_OnlyWhenAskedForItIsAMeasurement()
    {
        var clock = new HurriedClock(Some.Morning, rate: 1);
        var cluster = await FakeCluster.StartAsync(clock);
        for (var i = 0; i < Count; i++)
        {
            cluster.RunSession($"session-{i}", $"user-{i % 4000}", $"template-{i % 20}");
            cluster.Use($"ss-session-{i}", "250m", "1Gi");
        }
        cluster.Expire();
        var folder = TestRun.NewFolder();
        await using var attached = new Attached(cluster, clock)
        {
            Store = new SqlitePlatformStore(new HostFile(Path.Combine(folder, "r.db"), TimeProvider.System)),
        };
        var before = Settled();
        var allocated = GC.GetTotalAllocatedBytes(true);
        var watch = Stopwatch.StartNew();
        await attached.StartAsync();
        await attached.UntilAsync(() => attached.Active == Count, "all are there");
        output.WriteLine($"start to complete level: {watch.ElapsedMilliseconds} ms");
        output.WriteLine($"allocated, fake included: {(GC.GetTotalAllocatedBytes(true) - allocated) >> 20} MiB");
        output.WriteLine($"held, source, registry and listener: {(Settled() - before) / 1024.0 / 1024:F1} MiB");

        await attached.UntilAsync(() => attached.Usages.Count >= Count, "all are measured");
        output.WriteLine($"all measured at: {watch.ElapsedMilliseconds} ms");

        await attached.StopAsync();
        watch.Restart();
        await attached.WatchingAsync();
        await attached.SettledAsync();
        output.WriteLine($"restart with the registry kept: {watch.ElapsedMilliseconds} ms");

        watch.Restart();
        for (var i = 0; i < Count; i++)
        {
            cluster.Touch($"session-{i}");
        }
        var written = watch.ElapsedMilliseconds;
        await attached.SettledAsync();
        output.WriteLine($"10,000 touches: written in {written} ms, taken in at {watch.ElapsedMilliseconds} ms");
        attached.Active.ShouldBe(Count);
        await attached.StopAsync();

        static long Settled() => GC.GetTotalMemory(forceFullCollection: true);
    }
}
