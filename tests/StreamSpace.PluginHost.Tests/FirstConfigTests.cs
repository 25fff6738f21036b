using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What becomes of a plugin that does not take its first config.</summary>
public sealed class FirstConfigTests
{
    private const string Status = "api/plugins/echo/status";

    private readonly FakeTimeProvider _clock = new(
        DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture)
    );

    private readonly Market _market = new();

    public FirstConfigTests() => _market.Lay(Market.Built("plugins/streamspace-echo"));

    [Fact]
    public async Task OneThatThrewOverItIsGivenItAgainUntilItTakesItAndHearsThen()
    {
        var settings = _market.Settings;
        // Where Echo wants to write a file.
        var file = Path.Combine(settings.DataFolder, "streamspace-echo", "key-length");
        Directory.CreateDirectory(file);
        await using var host = await TestHost.StartAsync(settings, _clock);
        // Refused, which changes nothing about the config that is kept.
        (await host.PutConfigAsync("""{"interval":301}""")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var begin = (int)(await host.ReadAsync(Status))["configs"]!;
        var still = await UntilAsync(host, s => (int)s["configs"]! >= begin + 2);
        ((string?)still["state"]).ShouldBe("unconfigured");
        ((string?)still["readinessError"]).ShouldNotBeNull().ShouldContain("failed over its config");

        Directory.Delete(file);
        await UntilAsync(host, s => (string?)s["state"] == "running" && (int)s["snapshots"]! == 1);
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var told = await host.SendAsync(
            HttpMethod.Post,
            "api/events",
            host.Admin,
            TestHost.Json("""{"event":"user.login","timestamp":"2026-01-05T09:00:00Z","data":{"user_id":"ada"}}""")
        );
        told.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync(Status, s => (int?)s["facts"] == 1);
    }

    [Fact]
    public async Task OneThatFindsErrorsInItIsNotGivenItAgain()
    {
        var settings = _market.Settings;
        await using var host = await TestHost.StartAsync(
            settings with
            {
                Environment = new Dictionary<string, string>(settings.Environment) { ["ECHO_INTERVAL"] = "often" },
            },
            _clock
        );
        await _clock.AdvanceUntilAsync(Task.Delay(TimeSpan.FromSeconds(35), _clock));
        var status = await host.ReadAsync(Status);
        ((string?)status["state"]).ShouldBe("unconfigured");
        ((int?)status["configs"]).ShouldBe(1);
    }

    private async Task<JsonObject> UntilAsync(TestHost host, Func<JsonObject, bool> @is)
    {
        var becomes = host.UntilAsync(Status, @is);
        await _clock.AdvanceUntilAsync(becomes);
        return await becomes;
    }
}
