using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>A fact counts once, by its place in the host's log.</summary>
public sealed class HandledFactsTests
{
    private const string Logins = "sum:streamspace.user.login{*}.as_count()";

    [Fact]
    public async Task FactsThatComeAgainCountOnceInWhateverPieces()
    {
        await using var run = await PluginRun.StartAsync();
        await HandleAsync(run, "log", 1, 2);
        await HandleAsync(run, "log", 1, 2);
        await HandleAsync(run, "log", 2, 3, 4);
        await HandleAsync(run, "log", 4);
        await run.FlushAsync();
        (await run.SumAsync(Logins)).Values.Sum().ShouldBe(4);
        await run.UnloadAsync();
        (await run.EventsAsync()).Count(e => e.GetProperty("title").GetString() == "User Logged In").ShouldBe(4);
    }

    [Fact]
    public async Task FactsOfAnotherLogAreNotThoseOfTheFirst()
    {
        await using var run = await PluginRun.StartAsync();
        await HandleAsync(run, "log", 7, 8);
        await HandleAsync(run, "the log after it", 1, 2, 3);
        await run.FlushAsync();
        (await run.SumAsync(Logins)).Values.Sum().ShouldBe(5);
    }

    [Fact]
    public async Task WhatTheConfigGatedIsNotCountedOnceItIsLetThrough()
    {
        const string users = """{"site":"sandbox","metricsInterval":10,"trackUserMetrics":USERS}""";
        await using var run = await PluginRun.StartAsync(users.Replace("USERS", "false"));
        await HandleAsync(run, "log", 1, 2);
        (await run.ConfigureAsync(users.Replace("USERS", "true"))).ShouldBeEmpty();
        await HandleAsync(run, "log", 1, 2);
        await HandleAsync(run, "log", 3);
        await run.FlushAsync();
        (await run.SumAsync(Logins)).Values.Sum().ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ANextCopyCountsOnceWhatTheLastHadAndTheHostHadNotWrittenDown(bool isUnloaded)
    {
        await using var run = await PluginRun.StartAsync();
        await HandleAsync(run, "log", 1, 2, 3);
        for (var copy = 0; copy < 2; copy++)
        {
            await run.ReplaceAsync(isUnloaded);
            await HandleAsync(run, "log", 2, 3, 4, 5);
        }
        await run.FlushAsync();
        (await run.SumAsync(Logins)).Values.Sum().ShouldBe(5);
    }

    [Fact]
    public async Task WithALostStoreFactsAreTakenFromTheCursorOfTheHost()
    {
        await using var run = await PluginRun.StartAsync();
        await HandleAsync(run, "log", 1, 2);
        await run.ReplaceAsync(isUnloaded: true);
        await HandleAsync(run, "log", 3);
        await run.ReplaceAsync(isUnloaded: false);
        await run.Plugin.DisposeAsync();
        foreach (var file in Directory.GetFiles(run.Host.DataFolder, "telemetry.db*"))
        {
            File.Delete(file);
        }

        await run.ReplaceAsync(isUnloaded: false);
        // What was in it is lost; the host goes on after what the copy before had.
        await HandleAsync(run, "log", 4, 5);
        await HandleAsync(run, "log", 4, 5);
        await run.FlushAsync();
        (await run.SumAsync(Logins)).Values.Sum().ShouldBe(4);
    }

    private static async Task HandleAsync(PluginRun run, string log, params long[] sequences) =>
        await run.Plugin.HandleAsync(
            new FactBatch(log, [.. sequences.Select(at => Some.Login("ada", run.Now) with { Sequence = at })]),
            CancellationToken.None
        );
}
