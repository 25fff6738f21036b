using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Checks;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>An isolated plugin lets go of what it holds, and comes back.</summary>
public sealed class RecoveryTests
{
    private const string Echo = "streamspace-echo";
    private const string Status = "api/plugins/echo/status";

    private readonly FakeTimeProvider _clock = new(
        DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture)
    );

    private readonly Market _market = new();

    public RecoveryTests() => _market.Lay(Market.Built("plugins/streamspace-echo"));

    [Theory]
    [InlineData("""{"status":"block"}""")]
    [InlineData("""{"handle":"hang","unload":"hang"}""")]
    [InlineData("""{"handle":"block"}""")]
    public async Task ItsLoopsEndAndItsFileIsClosedSoThatTheNextCopyHasItAtOnce(string config)
    {
        await using var host = await TestHost.StartAsync(Impatient());
        await host.PutConfigAsync(config);
        await LogInAsync(host, "ada");
        await BecomesAsync(host, "isolated");
        await host.PutConfigAsync("""{"status":"say","handle":"count","unload":"clean"}""");

        var reloaded = await ReloadAsync(host);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.OK, await reloaded.Content.ReadAsStringAsync());
        ((string?)(await TestHost.BodyAsync(reloaded))["state"]).ShouldBe("running");
        await Patience.Until(() => File.Exists(Trace(host, "loops-ended")));
        (await LogInAsync(host, "ben")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        // Also what it was told while it was isolated, or at.
        await Patience.Until(() => Facts(host).Distinct().Count() == 2);
    }

    [Fact]
    public async Task OneThatDoesNotCloseItsFileGetsNoSecondCopyBesideIt()
    {
        await using var host = await TestHost.StartAsync(Impatient());
        await host.PutConfigAsync("""{"handle":"hang"}""");
        await File.WriteAllTextAsync(Trace(host, "dispose-hangs"), "", TestContext.Current.CancellationToken);
        await LogInAsync(host, "ada");
        await BecomesAsync(host, "isolated");
        var reloaded = await ReloadAsync(host);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        reloaded.Headers.RetryAfter.ShouldNotBeNull();
        ((string?)(await TestHost.BodyAsync(reloaded))["detail"])
            .ShouldNotBeNull()
            .ShouldContain("has not closed its files");
        File.Delete(Trace(host, "dispose-hangs"));
    }

    [Fact]
    public async Task ItIsTriedAgainByItselfAndHearsThen()
    {
        await using var host = await TestHost.StartAsync(Impatient());
        Hang(host);
        (await ReloadAsync(host)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var retry = (await host.ReadAsync(Status))["retry"].ShouldNotBeNull();
        ((string?)retry["reason"]).ShouldNotBeNull().ShouldContain("taking a config");
        ((DateTimeOffset)retry["nextTry"]! - (DateTimeOffset)retry["since"]!).TotalSeconds.ShouldBe(10, 0.001);
        File.Delete(Trace(host, "config-hangs"));
        await BecomesAsync(host, "running");
        (await host.ReadAsync(Status))["retry"].ShouldBeNull();
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Patience.Until(async () => (await LogInAsync(host, "ada")).StatusCode == HttpStatusCode.Accepted);
        await Patience.Until(() => Facts(host).Length == 1);
    }

    [Fact]
    public async Task AQuestionThatHangsInACopyBeforeDoesNotCostTheOneThatIsThereNow()
    {
        await using var host = await TestHost.StartAsync(
            _market.Settings with
            {
                CallTimeout = TimeSpan.FromSeconds(2),
            }
        );
        await host.PutConfigAsync("""{"status":"block"}""");
        var asked = host.ReadAsync(Status);
        await Patience.Until(() => File.Exists(Trace(host, "asked")));
        await host.PutConfigAsync("""{"status":"say"}""");
        (await ReloadAsync(host)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await asked;
        (await StateAsync(host)).ShouldBe("running");
    }

    [Fact]
    public async Task HealthFailsAfterFiveMinutesWithoutAWayBackAndSaysWhichAndSinceWhen()
    {
        await using var host = await TestHost.StartAsync(_market.Settings, _clock);
        Hang(host);
        var reloaded = ReloadAsync(host);
        await _clock.AdvanceUntilAsync(reloaded);
        var since = (DateTimeOffset)(await host.ReadAsync(Status))["retry"]!["since"]!;
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);

        var failing = FailsAsync(host);
        await _clock.AdvanceUntilAsync(failing);
        (_clock.GetUtcNow() - since).ShouldBeInRange(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(8));
        var said = (string?)(await failing)["detail"];
        said.ShouldNotBeNull().ShouldContain($"{Echo} has been isolated since {since:yyyy-MM-dd'T'HH:mm:ss'Z'}");
        said.ShouldContain("taking a config");

        // An attempt may be under way, by the same clock.
        var disabled = host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/disable", host.Admin);
        await _clock.AdvanceUntilAsync(disabled);
        (await disabled).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK, "nobody wants it to run");
        (await host.ReadAsync(Status))["retry"].ShouldBeNull();
    }

    [Theory]
    [InlineData("disable")]
    [InlineData("reload")]
    public async Task WhatIsTriedAgainAndHangsHoldsUpNobodyWhoWantsSomethingElse(string what)
    {
        // It is not the timeout that ends the attempt, however far the clock is moved.
        await using var host = await TestHost.StartAsync(
            _market.Settings with
            {
                CallTimeout = TimeSpan.FromDays(30),
            },
            _clock
        );
        await host.PutConfigAsync("""{"status":"block"}""");
        await BecomesAsync(host, "isolated");
        await host.PutConfigAsync("""{"status":"say"}""");
        Hang(host);
        await Patience.Until(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return await StateAsync(host) == "loading";
        });

        File.Delete(Trace(host, "config-hangs"));
        var done = host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/{what}", host.Admin);
        await _clock.AdvanceUntilAsync(done);
        (await done).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StateAsync(host)).ShouldBe(what == "reload" ? "running" : "disabled");
    }

    [Fact]
    public async Task ABadConfigIsNoReasonToRestartTheProcess()
    {
        var settings = _market.Settings;
        await using var host = await TestHost.StartAsync(
            settings with
            {
                Environment = new Dictionary<string, string>(settings.Environment) { ["ECHO_INTERVAL"] = "often" },
            },
            _clock
        );
        (await StateAsync(host)).ShouldBe("unconfigured");
        _clock.Advance(TimeSpan.FromHours(2));
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public void AttemptsComeMoreAndMoreSeldomAndBeginAnewAfterTenGoodMinutes()
    {
        var backOff = new PluginBackOff(_clock, () => 0.5);
        foreach (var seconds in (int[])[10, 20, 40, 80, 160, 320, 600, 600])
        {
            backOff.Fail("it hangs");
            backOff.Wait.ShouldBe(TimeSpan.FromSeconds(seconds));
            backOff.IsDue.ShouldBeFalse();
            _clock.Advance(TimeSpan.FromSeconds(seconds));
            backOff.IsDue.ShouldBeTrue();
        }
        backOff.Succeed();
        _clock.Advance(TimeSpan.FromMinutes(9));
        backOff.Fail("it hangs");
        backOff.Attempts.ShouldBe(8, "it did not run for long");
        backOff.Succeed();
        _clock.Advance(TimeSpan.FromMinutes(10));
        backOff.Fail("it hangs");
        (backOff.Attempts, backOff.Since, backOff.Wait).ShouldBe((0, _clock.GetUtcNow(), TimeSpan.FromSeconds(10)));
        var sooner = new PluginBackOff(_clock, () => 0);
        sooner.Fail("it hangs");
        sooner.Wait.ShouldBe(TimeSpan.FromSeconds(8), "7.5 s, rounded up");
    }

    [Fact]
    public async Task CheckLooksAtTheOthersWhenAPluginNeverComesBack()
    {
        _market.Lay(Market.Built("faulty/streamspace-stillborn"));
        var checking = new CheckRun(_market.Settings, _clock, () => 0.5).AllAsync(
            TestContext.Current.CancellationToken
        );
        await _clock.AdvanceUntilAsync(checking);
        (await checking).Select(finding => finding.Found).ShouldContain(found => found.Contains("did not come back"));
    }

    [Theory]
    [InlineData("timer")]
    [InlineData("void")]
    public async Task OneThatThrowsWhereNobodyCatchesItCostsItselfAndNotTheProcess(string how)
    {
        var data = TestRun.NewFolder();
        await using var process = await HostProcess.ServeAsync(data);
        var address = new Uri(process.Output.First(l => l.Contains("Serving on ")).Split("Serving on ")[1].Trim());
        using var http = TestRun.NewClient(address);
        http.DefaultRequestHeaders.Authorization = new("Bearer", await HostProcess.TokenAsync(data));
        using var thrown = await http.PostAsync(
            $"api/plugins/echo/throw-later/{how}",
            null,
            TestContext.Current.CancellationToken
        );
        thrown.StatusCode.ShouldBe(HttpStatusCode.OK);
        await process.SaysAsync($"it threw where nobody catches it: Thrown by {how}.");
        // And comes back.
        await Patience.Until(async () =>
            (string?)JsonNode.Parse(await http.GetStringAsync(Status, TestContext.Current.CancellationToken))!["state"]
            == "running"
        );
    }

    private HostSettings Impatient()
    {
        var settings = _market.Settings;
        return settings with
        {
            CallTimeout = TimeSpan.FromSeconds(2),
            Environment = new Dictionary<string, string>(settings.Environment) { ["ECHO_STORE"] = "yes" },
        };
    }

    private static string Trace(TestHost host, string name) => Path.Combine(host.Settings.DataFolder, Echo, name);

    private static string[] Facts(TestHost host) =>
        File.Exists(Trace(host, "facts")) ? File.ReadAllLines(Trace(host, "facts")) : [];

    private static void Hang(TestHost host) => File.WriteAllText(Trace(host, "config-hangs"), "");

    private static Task<HttpResponseMessage> ReloadAsync(TestHost host) =>
        host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/reload", host.Admin);

    private static async Task<string?> StateAsync(TestHost host) => (string?)(await host.ReadAsync(Status))["state"];

    private static Task BecomesAsync(TestHost host, string state) =>
        Patience.Until(async () => await StateAsync(host) == state);

    private static async Task<JsonObject> FailsAsync(TestHost host)
    {
        JsonObject? failure = null;
        await Patience.Until(async () =>
        {
            using var answer = await host.GetAsync("healthz");
            failure = answer.StatusCode == HttpStatusCode.ServiceUnavailable ? await TestHost.BodyAsync(answer) : null;
            return failure is not null;
        });
        return failure!;
    }

    private static Task<HttpResponseMessage> LogInAsync(TestHost host, string user) =>
        host.SendAsync(
            HttpMethod.Post,
            "api/events",
            host.Admin,
            TestHost.Json(
                $$$"""{"event":"user.login","timestamp":"{{{host.Begun:O}}}","data":{"user_id":"{{{user}}}"}}"""
            )
        );
}
