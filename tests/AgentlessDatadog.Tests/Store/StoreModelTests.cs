using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using FsCheck.Xunit;
using Shouldly;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreModelTests
{
    [Property(MaxTest = 40)]
    public async Task WhatAFileHoldsIsWhatMemoryWouldAfterAnyStepsAndReopenings(int seed)
    {
        using var folder = new StoreFolder();
        var memory = new MemoryStore();
        var script = new StoreScript(seed);
        var random = new Random(seed);
        var file = folder.NewStore();
        await file.OpenAsync(CancellationToken.None);
        for (var left = random.Next(1, 40); left > 0; left--)
        {
            var step = script.Next();
            await step(memory);
            await step(file);
            if (left > 1 && random.Next(4) > 0)
            {
                continue;
            }

            await file.DisposeAsync();
            file = folder.NewStore();
            await ShouldHoldTheSame(file, memory);
        }
        await file.DisposeAsync();
    }

    private static async Task ShouldHoldTheSame(SqliteStore file, MemoryStore memory)
    {
        var found = await file.OpenAsync(CancellationToken.None);
        found.Text().ShouldBe((await memory.OpenAsync(CancellationToken.None)).Text());
        found.Quarantined.ShouldBeNull();
        foreach (var header in found.Outbox)
        {
            var body = await file.ReadAsync(header.Id, CancellationToken.None);
            body.ToArray().ShouldBe(Sample.Body(header.Id, header.Size));
        }
    }
}
