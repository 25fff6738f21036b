using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>
/// What a machine leaves that loses its power while it writes: the log of the file ends anywhere in the last
/// transaction, or has something else from there on.
/// </summary>
public sealed class StoreTornTests
{
    // From SQLite's file format: a frame is a header and a page; between a frame's edges one byte is like another.
    private const int Header = 24;
    private const int Frame = Header + 4096;
    private const int Stride = 61;

    [Theory]
    [InlineData("append")]
    [InlineData("flush")]
    [InlineData("settle")]
    public async Task ATransactionTornAtAnyByteIsThereWholeOrNotAtAll(string last)
    {
        using var folder = new StoreFolder();
        await using var store = folder.NewStore();
        await store.OpenAsync(CancellationToken.None);
        var memory = new MemoryStore();
        var first = Sample.JournalAppend(Sample.Entry(1, 1, 2), [Sample.Request(1, 5000)], Sample.Keys(5, 1, 2));
        await Both(one => one.AppendAsync(first, CancellationToken.None));
        var before = await TextAsync(memory);
        var logBefore = new FileInfo(folder.Log).Length;
        await Both(Last(last));
        var after = await TextAsync(memory);

        var (file, log) = (folder.ReadFile(), folder.ReadLog());
        var found = new HashSet<string>();
        foreach (var length in Snapshots((int)logBefore, log.Length))
        {
            found.Add(await ReadAsync(file, log[..length]));
            found.Add(await ReadAsync(file, [.. log[..length], .. new byte[log.Length - length]]));
        }
        found.ShouldBe([before, after], ignoreOrder: true);
        (await ReadAsync(file, log)).ShouldBe(after);

        async Task Both(Func<ITelemetryStore, ValueTask> step)
        {
            await step(memory);
            await step(store);
        }
    }

    private static Func<ITelemetryStore, ValueTask> Last(string which) =>
        which switch
        {
            "append" => store =>
                store.AppendAsync(
                    Sample.JournalAppend(
                        Sample.Entry(2, 3),
                        [Sample.Request(2)],
                        Sample.Keys(6, 3),
                        [Sample.Accepted(1)]
                    ),
                    CancellationToken.None
                ),
            "flush" => store =>
                store.FlushAsync(
                    Sample.Flush(7, 1, [Sample.Request(2, 5000)], [Sample.Accepted(2)], forget: 6),
                    CancellationToken.None
                ),
            _ => store => store.SettleAsync(new Settlement([1], [Sample.Delivered(3)]), CancellationToken.None),
        };

    private static IEnumerable<int> Snapshots(int from, int to) =>
        Enumerable
            .Range(from, to - from + 1)
            .Where(at => (at - from) % Frame is <= Header + 8 or >= Frame - 8 || (at - from) % Stride == 0);

    private static async Task<string> ReadAsync(byte[] file, byte[] log)
    {
        using var folder = new StoreFolder();
        folder.WriteFile(file);
        folder.WriteLog(log);
        await using var store = folder.NewStore();
        var contents = await store.OpenAsync(CancellationToken.None);
        contents.Quarantined.ShouldBeNull();
        return contents.Text();
    }

    private static async Task<string> TextAsync(MemoryStore memory) =>
        (await memory.OpenAsync(CancellationToken.None)).Text();
}
