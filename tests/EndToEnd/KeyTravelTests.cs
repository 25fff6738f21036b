using System.Globalization;
using System.Net;
using System.Text;
using EndToEnd.Support;
using Shouldly;
using StreamSpace.Platform.Tests.Postgres;
using Xunit;

namespace EndToEnd;

/// <summary>A key goes only where it came with: asked of the listener at the place that it must not reach.</summary>
public sealed class KeyTravelTests : IAsyncDisposable
{
    private static readonly Dictionary<string, string> WithKey = new() { ["DD_API_KEY"] = Secret.ApiKey };

    private readonly StrangePlace _place = new();

    public ValueTask DisposeAsync() => _place.DisposeAsync();

    [Fact]
    public async Task APlaceOfACallNeverMeetsAKeyOfTheEnvironment()
    {
        await using var installation = await Installation.StartAsync(WithKey);
        var (status, answer) = await PutAsync(installation, $$"""{"intakeUrl":"{{_place.Address}}"}""");
        status.ShouldBe(HttpStatusCode.OK, answer);
        answer.ShouldContain("intakeUrl (from the saved config) is not applied: apiKey (from the environment)");
        await IsNamedAsync(installation);
        await FlushesAsync(installation);
        _place.Heard.ShouldBeEmpty();
    }

    [Fact]
    public async Task APlaceOfACallMeetsAKeptKeyOnlyWhenItBringsIt()
    {
        await using var installation = await Installation.StartAsync();
        (await PutAsync(installation, $$"""{"apiKey":"{{Secret.ApiKey}}"}""")).Status.ShouldBe(HttpStatusCode.OK);
        var (status, answer) = await PutAsync(installation, $$"""{"intakeUrl":"{{_place.Address}}"}""");
        status.ShouldBe(HttpStatusCode.BadRequest, answer);
        answer.ShouldContain("give apiKey in the same call");
        await FlushesAsync(installation);
        _place.Heard.ShouldBeEmpty();

        (status, answer) = await PutAsync(
            installation,
            $$"""{"intakeUrl":"{{_place.Address}}","apiKey":"{{Secret.ApiKey}}"}"""
        );
        status.ShouldBe(HttpStatusCode.OK, answer);
        await Eventually.GetAsync(
            "the key at the place that came with it",
            () => Task.FromResult(_place.Heard.Contains(Secret.ApiKey, StringComparison.Ordinal) ? "heard" : null)
        );
    }

    [Fact]
    public async Task APlaceOfStreamSpacesRowNeverMeetsAKeyOfTheEnvironment()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await using var database = await UpstreamDatabase.CreateAsync(postgres, "streamspace");
        await database.ExecuteAsync(
            $$"""
            INSERT INTO installed_plugins (name, version, enabled, config) VALUES ('streamspace-datadog', '1.0.0', true,
                '{"site":"sandbox","metricsInterval":"10","intakeUrl":"{{_place.Address}}"}')
            """
        );
        var environment = new Dictionary<string, string>(WithKey)
        {
            ["DB_HOST"] = "127.0.0.1",
            ["DB_PORT"] = postgres.Port.ToString(CultureInfo.InvariantCulture),
            ["DB_USER"] = PostgresServer.Owner,
            ["DB_PASSWORD"] = Secret.OwnerPassword,
            ["DB_NAME"] = "streamspace",
        };
        await using (
            var check = BuiltProgram.Start(
                "StreamSpace.PluginHost",
                ["check", "--data", TestRun.NewFolder()],
                environment
            )
        )
        {
            await check.LineAsync("intakeUrl (from StreamSpace's row, last written ");
            await check.EndAsync();
        }
        await using var installation = await Installation.StartAsync(environment);
        var verdict = await IsNamedAsync(installation);
        verdict.ShouldContain("intakeUrl (from StreamSpace's row, last written ");
        var log = (await installation.StatusAsync()).GetProperty("log").GetString()!;
        (await File.ReadAllTextAsync(log)).ShouldContain("is not applied: apiKey (from the environment)");
        await FlushesAsync(installation);
        _place.Heard.ShouldBeEmpty();
    }

    private static async Task<string> IsNamedAsync(Installation installation) =>
        await Eventually.GetAsync(
            "the place that is not applied to be named",
            async () =>
            {
                var status = await installation.StatusAsync();
                var verdict = status.GetProperty("verdict");
                return
                    verdict.GetProperty("state").GetString() == "degraded"
                    && status.GetProperty("warnings").ToString().Contains("is not applied", StringComparison.Ordinal)
                    ? verdict.GetProperty("sentence").GetString()
                    : null;
            }
        );

    // What is sent goes to the sandbox meanwhile.
    private static async Task FlushesAsync(Installation installation)
    {
        var before = await DeliveredAsync();
        await Eventually.GetAsync(
            "a flush to be delivered",
            async () => await DeliveredAsync() > before ? "delivered" : null
        );

        async Task<long> DeliveredAsync() =>
            (await installation.StatusAsync())
                .GetProperty("lanes")
                .EnumerateArray()
                .Single(l => l.GetProperty("lane").GetString() == "metrics")
                .GetProperty("ledger")
                .GetProperty("delivered")
                .GetInt64();
    }

    private static async Task<(HttpStatusCode Status, string Body)> PutAsync(Installation installation, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await installation.Http.PutAsync("/api/plugins/datadog/config", body);
        // A quotation mark in a sentence is written as an escape.
        return (
            response.StatusCode,
            (await response.Content.ReadAsStringAsync()).Replace("\\u0027", "'", StringComparison.Ordinal)
        );
    }
}
