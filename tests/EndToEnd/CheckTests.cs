using System.Globalization;
using EndToEnd.Support;
using k8s;
using k8s.Models;
using Shouldly;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Postgres;
using Xunit;

namespace EndToEnd;

/// <summary>What <c>check</c> shows an operator when something is wrong: each error in one table, its fix beside it.</summary>
public sealed class CheckTests : IAsyncLifetime
{
    private readonly string _data = TestRun.NewFolder();
    private FakeCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await FakeCluster.StartAsync(TimeProvider.System);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task EveryVariableThatIsWrongHasARowAndTheRestIsCheckedAllTheSame()
    {
        var (code, table) = await CheckAsync(
            new()
            {
                ["KUBECONFIG"] = _cluster.KubeConfig,
                ["NAMESPACE"] = "No_Namespace",
                ["DB_HOST"] = "127.0.0.1",
                ["DB_PORT"] = "70000",
                ["DB_SSL_MODE"] = "on",
                ["DB_PASSWORD"] = Secret.Wrong,
                ["NATS_URL"] = $"nats://user:{Secret.Wrong}@",
                ["JWT_SECRET"] = Secret.Wrong,
                ["WEBHOOK_SIGNING_SECRET"] = Secret.Wrong,
            }
        );

        code.ShouldBe(1, table);
        foreach (var variable in (string[])["NAMESPACE", "DB_PORT", "DB_SSL_MODE", "NATS_URL", "JWT_SECRET"])
        {
            Lines(table, "FAULT").ShouldContain(l => l.Contains(variable, StringComparison.Ordinal), table);
        }
        Lines(table, "ok").ShouldContain(l => l.Contains("http ", StringComparison.Ordinal), table);
        Lines(table, "ok").ShouldContain(l => l.Contains("config", StringComparison.Ordinal), table);
        table.ShouldNotContain(Secret.Wrong);
        EveryErrorHasItsFix(table);
    }

    [Fact]
    public async Task TheYamlThatGrantsWhatIsMissingFollowsOnceReadyToApply()
    {
        _cluster.RunSession("a");
        _cluster.Forbid("pods");
        _cluster.Forbid("metrics");
        var (code, table) = await CheckAsync(new() { ["KUBECONFIG"] = _cluster.KubeConfig });

        code.ShouldBe(1, table);
        Lines(table, "FAULT").Count().ShouldBe(2, table);
        var yaml = table[table.IndexOf("apiVersion:", StringComparison.Ordinal)..].Split("\n\n")[0];
        var granted = KubernetesYaml.LoadAllFromString(yaml, null, strict: true);
        granted.OfType<V1Role>().ShouldHaveSingleItem().Rules.SelectMany(r => r.Resources).ShouldContain("pods");
        table.Split("kind: RoleBinding").Length.ShouldBe(2, "once, though two rights are missing");
        EveryErrorHasItsFix(table);
    }

    [Fact]
    public async Task TheStatusOfTheRunningServiceShowsTheSameYamlBelowTheSentence()
    {
        _cluster.RunSession("a");
        _cluster.Forbid("sessions");
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.KubeConfig }
        );
        var detail = await DetailAsync(d => d.Contains('\n', StringComparison.Ordinal));
        var parts = detail.Split('\n', 2);
        parts[0].ShouldContain("Grant get, list and watch on sessions of the group stream.space.");
        KubernetesYaml
            .LoadAllFromString(parts[1], null, strict: true)
            .OfType<V1Role>()
            .ShouldHaveSingleItem()
            .Rules.ShouldContain(r => r.ApiGroups.Contains("stream.space"));

        _cluster.Allow("sessions");
        await installation.SourceIsAsync("kubernetes", "up");
        await DetailAsync(d => !d.Contains("Grant get, list and watch on sessions", StringComparison.Ordinal));

        Task<string> DetailAsync(Func<string, bool> wanted) =>
            Eventually.GetAsync(
                "the detail of the source",
                async () =>
                    (await installation.StatusAsync())
                        .GetProperty("sources")
                        .EnumerateArray()
                        .Where(s => s.GetProperty("name").GetString() == "kubernetes")
                        .Select(s => s.GetProperty("detail").GetString()!)
                        .SingleOrDefault(wanted)
            );
    }

    [Fact]
    public async Task AClusterADatabaseAndANatsThatAreAwayAreThreeErrors()
    {
        await _cluster.StopAsync();
        var (code, table) = await CheckAsync(
            new()
            {
                ["KUBECONFIG"] = _cluster.KubeConfig,
                ["DB_HOST"] = "127.0.0.1",
                ["DB_PORT"] = "1",
                ["NATS_URL"] = "nats://127.0.0.1:1",
            }
        );
        await _cluster.RestartAsync();

        code.ShouldBe(1, table);
        Lines(table, "FAULT")
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])
            .ShouldBe(["kubernetes", "nats", "postgresql"], table);
        EveryErrorHasItsFix(table);
    }

    [Fact]
    public async Task AKubeconfigThatIsNotThereIsNamed()
    {
        var (code, table) = await CheckAsync(new() { ["KUBECONFIG"] = "/nonexistent/kubeconfig" });

        code.ShouldBe(1, table);
        Lines(table, "FAULT").ShouldHaveSingleItem().ShouldContain("/nonexistent/kubeconfig");
        EveryErrorHasItsFix(table);
    }

    [Fact]
    public async Task AFolderThatCannotBeWrittenIsARowOfItsOwn()
    {
        var (code, table) = await CheckAsync(new() { ["KUBECONFIG"] = _cluster.KubeConfig }, "/proc/nowhere");

        code.ShouldBe(1, table);
        Lines(table, "FAULT").ShouldHaveSingleItem().ShouldContain("/proc/nowhere");
        Lines(table, "ok").ShouldContain(l => l.Contains("kubernetes ListSessions", StringComparison.Ordinal), table);
        EveryErrorHasItsFix(table);
    }

    [Fact]
    public async Task WhatIsWrongInTheRowOfStreamSpacesPageIsToldAndSoIsAKeyThere()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await using var database = await UpstreamDatabase.CreateAsync(postgres, "streamspace");
        await database.ExecuteAsync(
            $$"""
            INSERT INTO installed_plugins (name, version, enabled, config) VALUES ('streamspace-datadog', '1.0.0', true,
                '{"site":"sandbox","metricsInterval":"5","globalTag":"env:x","apiKey":"{{Secret.ApiKey}}"}')
            """
        );
        var environment = new Dictionary<string, string>
        {
            ["DB_HOST"] = "127.0.0.1",
            ["DB_PORT"] = postgres.Port.ToString(CultureInfo.InvariantCulture),
            ["DB_USER"] = PostgresServer.Owner,
            ["DB_PASSWORD"] = Secret.OwnerPassword,
            ["DB_NAME"] = "streamspace",
        };
        var (code, table) = await CheckAsync(environment);

        code.ShouldBe(1, table);
        Lines(table, "FAULT").ShouldContain(l => l.Contains("10 to 300", StringComparison.Ordinal), table);
        Lines(table, "warning").ShouldContain(l => l.Contains("globalTag ", StringComparison.Ordinal), table);
        Lines(table, "warning").ShouldContain(l => l.Contains("apiKey", StringComparison.Ordinal), table);
        table.Split("apiKey").Length.ShouldBe(2, "the key is told of once");
        table.ShouldNotContain(Secret.ApiKey);
        EveryErrorHasItsFix(table);
    }

    [Theory]
    [InlineData("70000", "DB_PORT must be a number from 1 to 65535.")]
    [InlineData("1", "Does not answer; check DB_HOST, DB_PORT")]
    [InlineData(null, "set DB_HOST")]
    public async Task ARegistrationThatCannotBeTriedSaysWhyInOneLine(string? port, string why)
    {
        await using var register = BuiltProgram.Start(
            "StreamSpace.PluginHost",
            ["register", "--data", _data],
            port is null ? null : new Dictionary<string, string> { ["DB_HOST"] = "127.0.0.1", ["DB_PORT"] = port }
        );
        (await register.EndAsync()).ShouldBe(1);
        register.Output.Split('\n').ShouldHaveSingleItem().ShouldContain(why);
    }

    private async Task<(int Code, string Table)> CheckAsync(Dictionary<string, string> environment, string? data = null)
    {
        await using var check = BuiltProgram.Start(
            "StreamSpace.PluginHost",
            ["check", "--data", data ?? _data],
            environment
        );
        return (await check.EndAsync(), check.Output);
    }

    private static IEnumerable<string> Lines(string table, string verdict) =>
        table.Split('\n').Where(l => l.StartsWith(verdict, StringComparison.Ordinal));

    private static void EveryErrorHasItsFix(string table)
    {
        TestContext.Current.TestOutputHelper!.WriteLine(table);
        var lines = table.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (
                lines[i].StartsWith("FAULT", StringComparison.Ordinal)
                || lines[i].StartsWith("warning", StringComparison.Ordinal)
            )
            {
                lines[i + 1].TrimStart().ShouldStartWith("→ ", Case.Sensitive, table);
            }
        }
    }
}
