using System.Text;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>
/// The real process under load, killed at random moments: at its start, in a replay, in a cut, between the disk and
/// the answer. The judge lives in a process of its own.
/// </summary>
public sealed class KillTests
{
    private const int Workers = 6;

    [Fact]
    public async Task WhatWasAcknowledgedArrivesExactlyOnceHoweverOftenTheProcessIsKilled()
    {
        // ./test.sh --soak kill=1000 sets it.
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("SOAK_KILL"), out var soak) ? soak : 30;
        await using var installation = await Installation.StartWithJudgeAsync(new Dictionary<string, string>());
        var from = TimeProvider.System.GetUtcNow();
        var chance = new Random(rounds);
        var client = new RememberingClient(installation.Http, seed: 11);
        using var stop = new CancellationTokenSource();
        var work = Enumerable.Range(0, Workers).Select(worker => client.WorkAsync(worker, stop.Token)).ToList();

        for (var round = 0; round < rounds; round++)
        {
            if (chance.Next(3) > 0)
            {
                await installation.Host.LineAsync("sign-in?code=");
                if (chance.Next(3) == 0)
                {
                    // A change of config cuts: the kill comes in the middle of it, or soon after.
                    _ = ConfigureAsync(installation, chance.Next(10, 300));
                }
            }
            await Task.Delay(TimeSpan.FromMilliseconds(chance.Next(900)), TimeProvider.System);
            await installation.KillHostAsync();
            installation.StartHostAgain();
        }
        await installation.Host.LineAsync("sign-in?code=");
        await stop.CancelAsync();
        await Task.WhenAll(work);
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(5);
        var (keyed, plain) = (await SumAsync("kill.keyed"), await SumAsync("kill.plain"));
        var gauges = await installation.Sandbox.QueryAsync("max:kill.gauge{*} by {worker}.rollup(max, 1)", from, to);
        foreach (var (worker, (acknowledged, sent)) in client.Gauges)
        {
            var last = gauges.Single(s => s.Tags.Contains($"worker:{worker}")).Points[^1].Value;
            last.ShouldBeInRange(acknowledged, sent, $"worker {worker}");
        }
        client.Keyed.ShouldBeGreaterThan(rounds);
        var ahead = gauges.Max(s => s.Points[^1].Second) - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{rounds} kills: with a key {client.Keyed} acknowledged, {keyed} arrived; without {client.Plain} acknowledged "
                + $"and {client.PlainUnanswered} unanswered, {plain} arrived; the last cut was {ahead} s ahead of the clock"
        );
        keyed.ShouldBe(client.Keyed);
        plain.ShouldBeInRange(client.Plain, client.Plain + client.PlainUnanswered);

        async Task<double> SumAsync(string metric) =>
            (await installation.Sandbox.QueryAsync($"sum:{metric}{{*}}.as_count()", from, to)).Sum(s =>
                s.Points.Sum(p => p.Value)
            );
    }

    private static async Task ConfigureAsync(Installation installation, int interval)
    {
        try
        {
            using var config = new StringContent(
                $$"""{"metricsInterval":{{interval}}}""",
                Encoding.UTF8,
                "application/json"
            );
            using var answer = await installation.Http.PutAsync("/api/plugins/datadog/config", config);
        }
        catch (HttpRequestException)
        {
            // Killed in the middle: what it was for.
        }
    }
}
