using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Tests.Postgres;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Tests.StreamSpaceRows;

[Collection(nameof(OnPostgres))]
public sealed class PluginRowTests(OnPostgres.Fixture postgres)
{
    private const string Plugin = "streamspace-datadog";

    private static readonly PluginManifest Manifest = Version("1.0.0");

    [Fact]
    public async Task WhatThePageChangesIsSeenWithinFiveSecondsAndOnce()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("row_reader");
        await using var watch = new Watching(reader);
        (await watch.NextAsync()).State.ShouldBe(PluginRowState.Absent);

        await upstream.ExecuteAsync(
            """INSERT INTO installed_plugins (name, version, config) VALUES ($1, '1.0.0', '{"metricsInterval": "60"}')""",
            Plugin
        );
        var row = (await watch.NextAsync()).Row!;
        row.Enabled.ShouldBeTrue();
        JsonNode.Parse(row.Config!)!["metricsInterval"]!.GetValue<string>().ShouldBe("60");

        await upstream.ExecuteAsync("UPDATE installed_plugins SET enabled = false, updated_at = now()");
        (await watch.NextAsync()).Row!.Enabled.ShouldBeFalse();
        await upstream.ExecuteAsync("UPDATE installed_plugins SET config = NULL");
        (await watch.NextAsync()).Row!.Config.ShouldBe("{}");
        await upstream.ExecuteAsync("DELETE FROM installed_plugins");
        (await watch.NextAsync()).State.ShouldBe(PluginRowState.Absent);
    }

    [Fact]
    public async Task WhatCannotBeReadIsSaidAndComesBackByItself()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("row_refused");
        await upstream.ExecuteAsync("REVOKE SELECT (config) ON installed_plugins FROM row_refused");
        await using var watch = new Watching(reader);
        var refused = await watch.NextAsync();
        refused.State.ShouldBe(PluginRowState.Unreadable);
        var grant = refused.Detail[refused.Detail.IndexOf("GRANT ", StringComparison.Ordinal)..];

        await upstream.ExecuteAsync(grant);
        (await watch.NextAsync()).State.ShouldBe(PluginRowState.Absent);
        await postgres.Server.KillAsync();
        (await watch.NextAsync()).State.ShouldBe(PluginRowState.Unreachable);
        await postgres.Server.StartAgainAsync();
        await watch.UntilAsync(s => s.State is PluginRowState.Absent);

        await upstream.ExecuteAsync(
            "INSERT INTO installed_plugins (name, version, config) VALUES ($1, '1', to_jsonb(repeat('x', 70000)))",
            Plugin
        );
        (await watch.NextAsync()).ShouldSatisfyAllConditions(
            s => s.State.ShouldBe(PluginRowState.TooLarge),
            s => s.Detail.ShouldContain("larger than 65536 bytes")
        );
        await upstream.ExecuteAsync("DROP TABLE installed_plugins");
        (await watch.NextAsync()).Detail.ShouldContain("no table installed_plugins");
    }

    [Fact]
    public async Task RegisteringMakesTheRowsThatTheirPageListsAndNeverWritesAKey()
    {
        await using var upstream = await postgres.DatabaseAsync();

        var made = await RegisterAsync(upstream.Options, Manifest);
        var again = await RegisterAsync(upstream.Options, Manifest);

        made.Done.ShouldBeTrue();
        again.ShouldSatisfyAllConditions(a => a.Done.ShouldBeTrue(), a => a.Detail.ShouldContain("already"));
        // The very columns that their list route reads, and without which it leaves a row out (docs/reference/streamspace.md §6.2).
        (
            await upstream.ValueAsync<string>(
                """
                SELECT concat_ws('|', p.name, p.version, p.enabled, p.installed_by, c.display_name, c.plugin_type,
                    c.manifest->'configSchema'->'properties'->'site'->>'type', array_to_string(c.tags, ','))
                FROM installed_plugins p JOIN catalog_plugins c ON p.catalog_plugin_id = c.id
                """
            )
        ).ShouldBe("streamspace-datadog|1.0.0|t|admin|Datadog Monitoring|extension|string|monitoring,datadog");
        (await upstream.ValueAsync<long>("SELECT count(*) FROM catalog_plugins")).ShouldBe(1);
        (await upstream.ValueAsync<string>("SELECT config::text FROM installed_plugins")).ShouldBe(
            """{"site": "datadoghq.eu"}"""
        );
    }

    [Fact]
    public async Task RegisteringKeepsWhatTheOperatorHasSet()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await RegisterAsync(upstream.Options, Manifest);
        await upstream.ExecuteAsync(
            """UPDATE installed_plugins SET enabled = false, config = '{"site": "us3.datadoghq.com"}'"""
        );

        (await RegisterAsync(upstream.Options, Version("1.1.0"))).Detail.ShouldContain("1.1.0");

        (
            await upstream.ValueAsync<string>(
                "SELECT concat_ws('|', version, enabled, config->>'site') FROM installed_plugins"
            )
        ).ShouldBe("1.1.0|f|us3.datadoghq.com");
        // Their sync drops the catalogue rows of its repositories; ours belongs to none.
        await upstream.ExecuteAsync("DELETE FROM catalog_plugins WHERE repository_id IS NOT NULL");
        (await upstream.ValueAsync<long>("SELECT count(catalog_plugin_id) FROM installed_plugins")).ShouldBe(1);
    }

    [Fact]
    public async Task ARoleThatMayNotRegisterGetsTheGrantsThatLetIt()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("row_writer");

        var refused = await RegisterAsync(reader, Manifest);
        refused.Done.ShouldBeFalse();
        refused.Sql.ShouldBe(PluginRegistration.Grants("row_writer"));
        (await upstream.ValueAsync<long>("SELECT count(*) FROM catalog_plugins")).ShouldBe(0);

        await upstream.ExecuteAsync(refused.Sql!);
        (await RegisterAsync(reader, Manifest)).Done.ShouldBeTrue();
    }

    [Fact]
    public async Task TheGuideGivesTheseGrantsAndTakesAllBack()
    {
        var blocks = await GuideAsync();
        blocks[0].ShouldBe(PostgresGrants.Read("streamspace_datadog", "streamspace"));
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.ExecuteAsync(blocks[0].Replace("\"streamspace\"", upstream.Name, StringComparison.Ordinal));
        blocks[1].ShouldBe(PostgresGrants.ReadV2("streamspace_datadog"));
        await new UpstreamV2(upstream).UpgradeAsync();
        await upstream.ExecuteAsync(blocks[1]);
        await upstream.ExecuteAsync(PluginRegistration.Grants("streamspace_datadog"));
        await upstream.ExecuteAsync(
            "INSERT INTO installed_plugins (name, version) VALUES ('streamspace-datadog', '1')"
        );

        await upstream.ExecuteAsync(blocks[2].Replace("\"streamspace\"", upstream.Name, StringComparison.Ordinal));

        (await upstream.ValueAsync<long>("SELECT count(*) FROM installed_plugins")).ShouldBe(0);
        (
            await upstream.ValueAsync<long>("SELECT count(*) FROM pg_roles WHERE rolname = 'streamspace_datadog'")
        ).ShouldBe(0);
    }

    /// <summary>The blocks of SQL in docs/postgresql.md.</summary>
    private static async Task<List<string>> GuideAsync()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "docs", "postgresql.md")))
        {
            folder = folder.Parent;
        }
        var guide = await File.ReadAllTextAsync(Path.Combine(folder.FullName, "docs", "postgresql.md"));
        return [.. guide.Split("```sql\n").Skip(1).Select(b => b[..b.IndexOf("\n```", StringComparison.Ordinal)])];
    }

    [Fact]
    public async Task ThePageGetsAFormWithoutFieldsForKeysOfTypesThatItKnows()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var manifest = PluginManifest.Parse(
            """
            {
                "name": "streamspace-datadog", "version": "1.0.0", "displayName": "Datadog Monitoring",
                "type": "extension", "entrypoints": {"main": "StreamSpace.Datadog.dll"},
                "configSchema": {"required": ["apiKey", "site"], "properties": {
                    "apiKey": {"type": "string", "format": "password"},
                    "interval": {"type": "integer", "minimum": 10, "title": "Seconds, 10 or more"},
                    "site": {"type": "string"}}}
            }
            """
        );

        (await RegisterAsync(upstream.Options, manifest)).Done.ShouldBeTrue();

        var schema = JsonNode.Parse(
            await upstream.ValueAsync<string>("SELECT (manifest->'configSchema')::text FROM catalog_plugins")
        )!;
        schema["properties"]!.AsObject().Select(p => p.Key).ShouldBe(["interval", "site"], ignoreOrder: true);
        schema["properties"]!["interval"]!["type"]!.GetValue<string>().ShouldBe("number");
        schema["required"]!.AsArray().Select(k => k!.GetValue<string>()).ShouldBe(["site"]);
        manifest.ConfigSchema.IsSecret("apiKey").ShouldBeTrue("it is taken all the same where it is found");
    }

    // Its plan is what docs/postgresql.md shows.
    [Fact]
    public async Task AReadingTakesTheRowByItsNameHoweverManyThereAre()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.ExecuteAsync(
            "INSERT INTO installed_plugins (name, version, config) SELECT 'plugin-' || n, '1', '{}' FROM generate_series(1, 5000) n"
        );
        await upstream.ExecuteAsync("ANALYZE installed_plugins");
        (
            await upstream.ValueAsync<string>($"EXPLAIN (FORMAT JSON) {PluginRowWatch.Sql}", "plugin-7", 65_536)
        ).ShouldContain("Index Scan");
    }

    private static Task<PluginRegistered> RegisterAsync(PostgresOptions options, PluginManifest manifest) =>
        new PluginRegistration(options).RegisterAsync(
            manifest,
            JsonNode.Parse("""{"site": "datadoghq.eu", "apiKey": "k3y"}""")!.AsObject(),
            TestContext.Current.CancellationToken
        );

    private static PluginManifest Version(string version) =>
        PluginManifest.Parse(
            $$"""
            {
                "name": "streamspace-datadog", "version": "{{version}}", "displayName": "Datadog Monitoring",
                "type": "extension", "category": "Monitoring", "tags": ["monitoring", "datadog"],
                "entrypoints": {"main": "StreamSpace.Datadog.dll"},
                "configSchema": {"properties": {
                    "site": {"type": "string"}, "apiKey": {"type": "string", "format": "password"} } }
            }
            """
        );

    /// <summary>A watch on the row, whose clock runs while something is awaited.</summary>
    private sealed class Watching : IAsyncDisposable
    {
        private readonly FakeTimeProvider _clock = new();
        private readonly CancellationTokenSource _stop = new();
        private readonly Signal _seen = new();
        private readonly IAsyncEnumerator<PluginRowReading> _sights;

        public Watching(PostgresOptions options) =>
            _sights = new PluginRowWatch(options, Plugin, _clock).WatchAsync(_stop.Token).GetAsyncEnumerator();

        public async Task<PluginRowReading> NextAsync()
        {
            var next = _sights.MoveNextAsync().AsTask();
            await _seen.UntilAsync(
                () =>
                {
                    _clock.Advance(TimeSpan.FromSeconds(3));
                    return next.IsCompleted;
                },
                "a change of the row"
            );
            (await next).ShouldBeTrue();
            return _sights.Current;
        }

        public async Task UntilAsync(Func<PluginRowReading, bool> wanted)
        {
            while (!wanted(await NextAsync())) { }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _sights.DisposeAsync();
            _stop.Dispose();
        }
    }
}
