using System.Diagnostics;
using AgentlessDatadog.Store.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentlessDatadog.Benchmarks;

/// <summary>
/// How many points a second are acknowledged, which is on disk, and how long a caller waits; beside what the same
/// folder's fsync costs in the same run. Callers hand in one point or a hundred at a time; cuts go on meanwhile.
/// </summary>
internal static class StoreThroughput
{
    // Five, so that a median means something.
    private const int Rounds = 5;
    private static readonly TimeSpan Took = TimeSpan.FromSeconds(2);
    private static readonly int[] Callers = [1, 8, 64];
    private static readonly int[] PointsAtOnce = [1, 100];

    private sealed record Case(int Callers, int Points)
    {
        public List<double> Fsync { get; } = [];
        public List<double> Waits { get; } = [];
        public List<double> Rates { get; } = [];
    }

    public static async Task RunAsync(string place)
    {
        var folder = Path.Combine(place, $"store-throughput-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        Case[] cases = [.. Callers.SelectMany(callers => PointsAtOnce.Select(points => new Case(callers, points)))];
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var one in cases)
            {
                one.Fsync.AddRange(Fsync(folder));
                await MeasureAsync(one, folder);
                one.Fsync.AddRange(Fsync(folder));
            }
        }
        Directory.Delete(folder, recursive: true);
        Line(
            "| callers | points a call | points/s (median) | wait p50 ms | wait p99 ms | fsync mean ms | p99 / fsync |"
        );
        Line("|---|---|---|---|---|---|---|");
        foreach (var one in cases)
        {
            var (fsync, p99) = (one.Fsync.Average(), At(one.Waits, 0.99));
            Line(
                $"| {one.Callers} | {one.Points} | {At(one.Rates, 0.5):n0} | {At(one.Waits, 0.5):f2} | {p99:f2} | {fsync:f2} | {p99 / fsync:f1} |"
            );
        }
    }

    private static async Task MeasureAsync(Case one, string folder)
    {
        var path = Path.Combine(folder, $"store-{Guid.NewGuid():N}.db");
        await using var store = new SqliteStore(path, TimeProvider.System);
        // Without a key nothing is sent, and everything is kept.
        var options = new TelemetryOptions { ApiKey = null, FlushInterval = TimeSpan.FromSeconds(1) };
        await using var pipeline = new TelemetryPipeline(
            store,
            options,
            TimeProvider.System,
            () => 0.5,
            NullLogger.Instance
        );
        await pipeline.StartAsync(CancellationToken.None);
        var began = Stopwatch.GetTimestamp();
        var waits = await Task.WhenAll(Enumerable.Range(0, one.Callers).Select(n => Task.Run(() => CallAsync(n))));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        one.Waits.AddRange(waits.SelectMany(wait => wait));
        one.Rates.Add(waits.Sum(wait => wait.Count) * one.Points / seconds);

        async Task<List<double>> CallAsync(int caller)
        {
            List<double> times = [];
            var points = Enumerable.Range(0, one.Points).Select(n => Point(caller, n)).ToList();
            while (Stopwatch.GetElapsedTime(began) < Took)
            {
                var asked = Stopwatch.GetTimestamp();
                await pipeline.KeepAsync(points, CancellationToken.None);
                times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
            return times;
        }
    }

    private static Measurement Point(int caller, int n) =>
        new("streamspace.user.login", MetricType.Count, 1, [$"user:user{caller}", $"template:template{n % 20}"])
        {
            IsItem = true,
        };

    // What the store's log does at each commit, without the store: some pages at the end, and a wait for the disk.
    private static List<double> Fsync(string folder)
    {
        var path = Path.Combine(folder, $"fsync-{Guid.NewGuid():N}");
        using var file = File.OpenHandle(
            path,
            FileMode.CreateNew,
            FileAccess.Write,
            options: FileOptions.DeleteOnClose
        );
        var pages = new byte[3 * 4096];
        List<double> times = [];
        for (var n = 0; n < 100; n++)
        {
            var began = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, pages, (long)n * pages.Length);
            RandomAccess.FlushToDisk(file);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        return times;
    }

    private static double At(List<double> values, double share) =>
        values.Order().ElementAt((int)(share * (values.Count - 1)));

    private static void Line(string line) => Console.WriteLine(line);
}
