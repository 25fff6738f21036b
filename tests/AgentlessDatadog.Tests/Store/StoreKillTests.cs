using System.Diagnostics;
using System.Globalization;
using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreKillTests
{
    private const string Mode = "keep-until-killed";
    private const string MigrateMode = "migrate-until-killed";
    private const string Begun = "begun";
    private const int Rounds = 20;
    private const int Seed = 20_261_124;

    // So many that they take about as long as the longest wait for the kill.
    private const int MigrationSteps = 400;

    // Steps that the child has under way at once, so that commits are shared.
    private const int Width = 6;

    [Fact]
    public async Task AKillAtAnyMomentLosesNothingAcknowledgedAndLeavesNoHalf()
    {
        using var folder = new StoreFolder(onDisk: true);
        var random = new Random(Seed);
        var memory = new MemoryStore();
        var script = new StoreScript(Seed);
        var done = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var acknowledged = await KeepUntilKilledAsync(folder.File, done, random.Next(12));
            acknowledged.ShouldBeGreaterThanOrEqualTo(done);

            var found = await ReadAsync(folder);
            for (; done < acknowledged; done++)
            {
                await script.Next()(memory);
            }
            // What was under way may be in the file or not, but only whole and in its order.
            while (await HeldByAsync(memory) != found && done < acknowledged + Width)
            {
                await script.Next()(memory);
                done++;
            }
            (await HeldByAsync(memory)).ShouldBe(found, $"round {round}: {acknowledged} steps were acknowledged");
        }
        done.ShouldBeGreaterThan(Rounds, "the child must have got on");
    }

    [Fact]
    public async Task AKillInAMigrationLeavesTheOldFileOrTheNewOne()
    {
        using var folder = new StoreFolder(onDisk: true);
        await FillAsync(folder);
        var old = folder.ReadFile();
        var random = new Random(Seed);
        var unfinished = 0;
        for (var round = 0; round < Rounds; round++)
        {
            await MigrateUntilKilledAsync(folder.File, random.Next(100));

            await using (var store = folder.NewStore())
            {
                try
                {
                    var contents = await store.OpenAsync(CancellationToken.None);
                    (contents.LastFlush, contents.Quarantined).ShouldBe((5, null), $"round {round}");
                    unfinished++;
                    continue;
                }
                catch (NotSupportedException)
                {
                    // It is of the new version, so that it must be so in all.
                }
            }
            await using (var store = new SqliteStore(folder.File, TimeProvider.System, Longer))
            {
                (await store.OpenAsync(CancellationToken.None)).LastFlush.ShouldBe(
                    5 + MigrationSteps,
                    $"round {round}"
                );
            }
            folder.WriteFile(old);
        }
        unfinished.ShouldBeGreaterThan(1, "the kill must come before the end");
    }

    /// <summary>What the child does: its script from a step on, telling the number of each that is acknowledged.</summary>
    public static async Task<bool> RunAsChildAsync(string[] args)
    {
        if (args is [MigrateMode, var file])
        {
            return await MigrateAsync(file);
        }

        if (args is not [Mode, var path, var done])
        {
            return false;
        }

        var script = new StoreScript(Seed);
        var step = int.Parse(done, CultureInfo.InvariantCulture);
        for (var i = 0; i < step; i++)
        {
            script.Next();
        }

        await using var store = new SqliteStore(path, TimeProvider.System);
        await Console.Out.WriteLineAsync(Begun);
        await store.OpenAsync(CancellationToken.None);
        var underWay = new Queue<Task>();
        while (true)
        {
            underWay.Enqueue(script.Next()(store).AsTask());
            if (underWay.Count < Width)
            {
                continue;
            }

            await underWay.Dequeue();
            await Console.Out.WriteLineAsync((++step).ToString(CultureInfo.InvariantCulture));
        }
    }

    private static SqliteSchema Longer { get; } =
        new([
            .. SqliteSchema.Steps,
            .. Enumerable
                .Range(0, MigrationSteps)
                .Select(n =>
                    $"CREATE TABLE note{n} AS SELECT randomblob(50000) AS text; UPDATE state SET last_cut = last_cut + 1"
                ),
        ]);

    private static async Task<bool> MigrateAsync(string file)
    {
        await using var store = new SqliteStore(file, TimeProvider.System, Longer);
        await Console.Out.WriteLineAsync(Begun);
        await store.OpenAsync(CancellationToken.None);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        return true;
    }

    private static async Task MigrateUntilKilledAsync(string path, int milliseconds)
    {
        using var child = StartChild(MigrateMode, path);
        (await child.StandardOutput.ReadLineAsync()).ShouldBe(Begun);
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
        child.Kill();
        await child.WaitForExitAsync();
    }

    private static async Task FillAsync(StoreFolder folder)
    {
        await using var store = folder.NewStore();
        await store.OpenAsync(CancellationToken.None);
        await store.FlushAsync(Sample.Flush(5, 0), CancellationToken.None);
    }

    private static Process StartChild(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        // It would leave its pipes behind. It is given no secret, so nobody hears what it says.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach (var arg in new[] { "exec", typeof(StoreKillTests).Assembly.Location }.Concat(args))
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }

    // As many steps later as it is told, however long the machine takes for them.
    private static async Task<int> KeepUntilKilledAsync(string path, int done, int steps)
    {
        using var child = StartChild(Mode, path, $"{done}");
        (await child.StandardOutput.ReadLineAsync()).ShouldBe(Begun);
        string? last = null;
        for (var step = 0; step < steps; step++)
        {
            last = await child.StandardOutput.ReadLineAsync();
        }

        child.Kill();
        last = await LastLineAsync(child.StandardOutput) ?? last;
        await child.WaitForExitAsync();
        child.ExitCode.ShouldBe(128 + 9, "it must not have ended by itself");
        return last is null ? done : int.Parse(last, CultureInfo.InvariantCulture);
    }

    // A line that the kill has cut in two is not an acknowledgement.
    private static async Task<string?> LastLineAsync(StreamReader output)
    {
        var lines = (await output.ReadToEndAsync()).Split('\n');
        return lines.Length > 1 ? lines[^2] : null;
    }

    private static async Task<string> ReadAsync(StoreFolder folder)
    {
        await using var store = folder.NewStore();
        var contents = await store.OpenAsync(CancellationToken.None);
        contents.Quarantined.ShouldBeNull();
        return contents.Text();
    }

    private static async Task<string> HeldByAsync(MemoryStore memory) =>
        (await memory.OpenAsync(CancellationToken.None)).Text();
}
