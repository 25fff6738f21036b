using System.Text;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>
/// The real process under load, killed at random moments: at its start, in a replay, in a flush, between the disk and
/// the answer. The judge lives in a process of its own.
/// </summary>
public sealed class KillTests
{
    private const int Workers = 6;

    // Milliseconds from the opening of the store until what it held is in a flush.
    private const int LongestReplay = 60;

    [Fact]
    public async Task WhatWasAcknowledgedArrivesExactlyOnceHoweverOftenTheProcessIsKilled()
    {
        // ./test.sh --soak kill=1000 sets it.
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("SOAK_KILL"), out var soak) ? soak : 30;
        await using var installation = await Installation.StartWithJudgeAsync(
            // A source of the platform, so that the host's own file is under load as well.
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret }
        );
        var from = TimeProvider.System.GetUtcNow();
        var chance = new Random(rounds);
        var client = new RememberingClient(installation.Http, seed: 11);
        using var stop = new CancellationTokenSource();
        var work = Enumerable.Range(0, Workers).Select(worker => client.WorkAsync(worker, stop.Token)).ToList();

        var replays = 0;
        for (var round = 0; round < rounds; round++)
        {
            var longest = 900;
            switch (chance.Next(4))
            {
                case 0:
                    // At its start.
                    break;
                case 1:
                    await installation.Host.OpensAsync("telemetry.db");
                    longest = LongestReplay;
                    break;
                case 2:
                    await installation.Host.LineAsync("sign-in?code=");
                    break;
                default:
                    await installation.Host.LineAsync("sign-in?code=");
                    // A change of tags flushes: the kill comes in the middle of it, or soon after.
                    _ = ConfigureAsync(installation, chance.Next(10, 300));
                    break;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(chance.Next(longest)), TimeProvider.System);
            if (longest is LongestReplay && !installation.Host.Output.Contains("sign-in?code="))
            {
                replays++;
            }
            await installation.KillHostAsync();
            installation.StartHostAgain();
        }
        await installation.Host.LineAsync("sign-in?code=");
        await stop.CancelAsync();
        await Task.WhenAll(work);
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(5);
        var (keyed, plain) = (await SumAsync("kill.keyed"), await SumAsync("kill.plain"));
        var users = await SumAsync("streamspace.user.created");
        var gauges = await installation.Sandbox.QueryAsync("max:kill.gauge{*} by {worker}.rollup(max, 1)", from, to);
        foreach (var (worker, (acknowledged, sent)) in client.Gauges)
        {
            var last = gauges.Single(s => s.Tags.Contains($"worker:{worker}")).Points[^1].Value;
            last.ShouldBeInRange(acknowledged, sent, $"worker {worker}");
        }
        client.Keyed.ShouldBeGreaterThan(rounds);
        (replays > 0 || !OperatingSystem.IsLinux()).ShouldBeTrue("some kills must come in a replay");
        var ahead = gauges.Max(s => s.Points[^1].Second) - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{rounds} kills, {replays} of them in a replay: with a key {client.Keyed} acknowledged, {keyed} arrived; without {client.Plain} acknowledged "
                + $"and {client.PlainUnanswered} unanswered, {plain} arrived; {client.Users} events acknowledged, {users} arrived; the last flush was {ahead} s ahead of the clock"
        );
        keyed.ShouldBe(client.Keyed);
        client.Users.ShouldBeGreaterThan(rounds);
        users.ShouldBe(client.Users, "events, each told until it was acknowledged");
        plain.ShouldBeInRange(client.Plain, client.Plain + client.PlainUnanswered);
        // Of a few kills none may come at that moment.
        (plain > client.Plain || rounds < 300).ShouldBeTrue("some kills must come between the disk and the answer");

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
                $$"""{"metricsInterval":{{interval}},"globalTags":["turn:{{interval}}"]}""",
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
