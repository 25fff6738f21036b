using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A <c>host.db</c> that fails, or does not answer, while the host runs.</summary>
public sealed class HostFileTroubleTests
{
    private readonly FakeTimeProvider _clock = new(
        DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture)
    );

    [Fact]
    public async Task AFileThatFailsIsToldBehindReadyzUntilItWorksAgain()
    {
        await using var host = await StartAsync();
        using var file = Open(host);
        Execute(file, "CREATE TRIGGER full BEFORE INSERT ON platform_facts BEGIN SELECT RAISE(ABORT, 'no room'); END");
        (await LogInAsync(host)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var why = await ReadinessAsync(host);
        why.ShouldContain("host.db: what the platform says cannot be kept");
        why.ShouldContain("no room");
        why.ShouldNotContain(host.Settings.DataFolder);

        Execute(file, "DROP TRIGGER full");
        await ReadyAsync(host);
        (await LogInAsync(host)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync("api/plugins/echo/status", s => (int?)s["feed"]!["behind"] == 0);
        ((int?)(await host.ReadAsync("api/plugins/echo/status"))["facts"]).ShouldBe(1);
    }

    [Fact]
    public async Task AFileThatDoesNotAnswerHoldsACallForTenSecondsAndIsToldBehindReadyz()
    {
        await using var host = await StartAsync();
        using var file = Open(host);
        Execute(file, "BEGIN IMMEDIATE");
        var posted = LogInAsync(host);
        (await _clock.AdvanceUntilAsync(posted)).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(10));
        (await posted).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await _clock.AdvanceUntilAsync(host.UntilAsync("api/status", s => !(bool)s["ready"]!));
        (await ReadinessAsync(host)).ShouldContain("has not answered for");

        Execute(file, "ROLLBACK");
        await ReadyAsync(host);
        (await LogInAsync(host)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync("api/plugins/echo/status", s => (int?)s["feed"]!["behind"] == 0);
        ((int?)(await host.ReadAsync("api/plugins/echo/status"))["facts"]).ShouldBe(1);
    }

    // Up: what is kept at the start is on disk by then.
    private async Task<TestHost> StartAsync()
    {
        var host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                Environment = new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
            },
            _clock
        );
        await host.UntilAsync("api/status", s => (string?)s["sources"]![0]!["state"] == "up");
        return host;
    }

    private static SqliteConnection Open(TestHost host)
    {
        var file = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = Path.Combine(host.Settings.DataFolder, "host.db"),
                Pooling = false,
            }.ToString()
        );
        file.Open();
        return file;
    }

    private static void Execute(SqliteConnection file, string sql)
    {
        using var command = file.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static Task<HttpResponseMessage> LogInAsync(TestHost host) =>
        host.SendAsync(
            HttpMethod.Post,
            "api/events",
            host.Admin,
            TestHost.Json("""{"event":"user.login","timestamp":"2026-01-05T09:00:00Z","data":{"user_id":"ada"}}""")
        );

    private static async Task<string> ReadinessAsync(TestHost host)
    {
        var answer = await host.GetAsync("readyz");
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        return (string)(await TestHost.BodyAsync(answer))["detail"]!;
    }

    // Step by step: what failed is tried again at the next tick.
    private async Task ReadyAsync(TestHost host) =>
        await _clock.AdvanceUntilAsync(host.UntilAsync("api/status", s => (bool)s["ready"]!));
}
