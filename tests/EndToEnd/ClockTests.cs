using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>
/// The real process on a machine whose clock somebody sets, before a Datadog in another process whose clock is right; and
/// under changes of its config without end. What is acknowledged has arrived, or the ledger says that it may not have.
/// </summary>
public sealed class ClockTests
{
    private readonly string _data = TestRun.NewFolder();
    private readonly string _time = Path.Combine(TestRun.NewFolder(), "time");
    private long _acknowledged;

    [Fact]
    public async Task StepsOfAClockWhileTheProcessRunsCostNothing()
    {
        await using var installation = await StartAsync("+0");
        foreach (var time in new[] { "+0", "+2h", "+0", "+1d", "-2h", "+0" })
        {
            Set(time);
            for (var i = 0; i < 12; i++)
            {
                await CountAsync(installation, 2);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            }
        }
        var ledger = await SettledAsync(installation);
        var arrived = await SumAsync(installation);
        arrived.ShouldBe(_acknowledged);
        ledger.GetProperty("uncertain").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task AProcessThatBeginsWithAWrongClockBooksWhatItSentByItAndGoesOnByDatadogs()
    {
        await using var installation = await StartAsync("+1d");
        for (var i = 0; i < 25; i++)
        {
            await CountAsync(installation, 2);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }
        var ledger = await SettledAsync(installation);
        var arrived = await SumAsync(installation);
        (await ClockErrorAsync(installation)).ShouldNotBeNull().ShouldContain("ahead of Datadog's");
        var verdict = (await installation.StatusAsync()).GetProperty("verdict").GetProperty("state").GetString();
        verdict.ShouldBe("degraded");
        arrived.ShouldBeGreaterThan(0);
        (_acknowledged - arrived).ShouldBeLessThanOrEqualTo(ledger.GetProperty("uncertain").GetInt64());
    }

    [Fact]
    public async Task ChangesOfTheConfigWithoutEndTakeNoSecondTwice()
    {
        await using var installation = await Installation.StartWithJudgeAsync(new Dictionary<string, string>());
        await ReadyAsync(installation);
        await PutAsync(installation, """{"metricsInterval":10}""");
        var until = TimeProvider.System.GetUtcNow().AddSeconds(28);
        var counts = Enumerable
            .Range(0, 4)
            .Select(async _ =>
            {
                while (TimeProvider.System.GetUtcNow() < until)
                {
                    await CountAsync(installation, 1);
                }
            });
        var puts = 0;
        var changes = Enumerable
            .Range(0, 2)
            .Select(async worker =>
            {
                while (TimeProvider.System.GetUtcNow() < until)
                {
                    var tag = worker == 0 ? "" : $$""","globalTags":["turn:{{puts % 3}}"]""";
                    await PutAsync(installation, $$"""{"metricsInterval":10{{tag}}}""");
                    Interlocked.Increment(ref puts);
                }
            });
        await Task.WhenAll([.. counts, .. changes]);
        await SettledAsync(installation);
        (await installation.Host.TerminateAsync()).ShouldBe(0);
        TestContext.Current.TestOutputHelper?.WriteLine($"{puts} changes, {_acknowledged} counts");
        (await SumAsync(installation)).ShouldBe(_acknowledged);
        await PayloadRules.HoldAsync(installation.Sandbox);
    }

    private async Task<Installation> StartAsync(string time)
    {
        Set(time);
        var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = FakeTime(),
                ["FAKETIME_TIMESTAMP_FILE"] = _time,
                ["FAKETIME_NO_CACHE"] = "1",
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                ["DONT_FAKE_MONOTONIC"] = "1",
            },
            _data,
            []
        );
        await ReadyAsync(installation);
        await PutAsync(installation, """{"metricsInterval":10}""");
        return installation;
    }

    private static Task ReadyAsync(Installation installation) =>
        Eventually.GetAsync(
            "the plugin to be ready",
            async () =>
            {
                using var answer = await installation.Http.GetAsync("/readyz");
                return answer.IsSuccessStatusCode ? "ready" : null;
            }
        );

    // Never half of it for whoever reads it meanwhile.
    private void Set(string time)
    {
        File.WriteAllText(_time + ".new", time + "\n");
        File.Move(_time + ".new", _time, overwrite: true);
    }

    private static string FakeTime() =>
        Directory
            .EnumerateFiles("/usr/lib", "libfaketime.so.1", SearchOption.AllDirectories)
            .FirstOrDefault()
            .ShouldNotBeNull("the Debian package libfaketime, which ./test.sh installs, is missing");

    private async Task CountAsync(Installation installation, int value)
    {
        var metric = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"metric":"clock.made","value":{{value}},"type":"count"}"""
        );
        using var body = new StringContent(metric, Encoding.UTF8, "application/json");
        using var answer = await installation.Http.PostAsync("/api/plugins/datadog/metrics", body);
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        Interlocked.Add(ref _acknowledged, value);
    }

    private static async Task PutAsync(Installation installation, string config)
    {
        // Whoever is put off asks again.
        await Eventually.GetAsync(
            "the config to be taken",
            async () =>
            {
                using var body = new StringContent(config, Encoding.UTF8, "application/json");
                using var answer = await installation.Http.PutAsync("/api/plugins/datadog/config", body);
                if (answer.StatusCode is HttpStatusCode.ServiceUnavailable)
                {
                    return null;
                }
                answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
                return "taken";
            }
        );
    }

    // All that was acknowledged is flushed at the second flush from now, and then nothing waits.
    private static async Task<JsonElement> SettledAsync(Installation installation)
    {
        for (var i = 0; i < 2; i++)
        {
            var before = await FlushAsync();
            await Eventually.GetAsync(
                "a flush",
                async () => await FlushAsync() is { } now && now != before ? now : null
            );
        }
        var empty = await Eventually.GetAsync(
            "the queue to be empty",
            async () =>
            {
                var status = await installation.StatusAsync();
                return status.GetProperty("queue").GetProperty("requests").GetInt32() == 0 ? status.ToString() : null;
            }
        );
        using var status = JsonDocument.Parse(empty);
        return status
            .RootElement.GetProperty("lanes")
            .EnumerateArray()
            .Single(l => l.GetProperty("lane").GetString() == "metrics")
            .GetProperty("ledger")
            .Clone();

        async Task<string?> FlushAsync() =>
            (await installation.StatusAsync()).GetProperty("lastFlush") is { ValueKind: JsonValueKind.Object } flush
                ? flush.GetProperty("at").ToString()
                : null;
    }

    private static async Task<string?> ClockErrorAsync(Installation installation) =>
        (await installation.StatusAsync()).GetProperty("clock").GetProperty("error").GetString();

    private static async Task<double> SumAsync(Installation installation)
    {
        var now = TimeProvider.System.GetUtcNow();
        var series = await installation.Sandbox.QueryAsync(
            "sum:clock.made{*}.as_count()",
            now.AddMinutes(-15),
            now.AddMinutes(10)
        );
        return series.Sum(s => s.Points.Sum(p => p.Value));
    }
}
