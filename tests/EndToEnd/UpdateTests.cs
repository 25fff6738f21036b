using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using StreamSpace.Platform.Tests.Postgres;
using Xunit;

namespace EndToEnd;

/// <summary>The plugin installed by hand as the spec says, and updated under load.</summary>
public sealed class UpdateTests
{
    [Fact]
    public async Task InstalledByHandAndUpdatedReloadedAndRestartedUnderLoadItLosesNoPointDoublesNoneAndPutsOffGoodCalls()
    {
        var folder = TestRun.NewFolder();
        var plugins = Directory.CreateDirectory(Path.Combine(folder, "plugins")).FullName;
        var catalog = Directory.CreateDirectory(Path.Combine(folder, "catalog")).FullName;
        // The spec's two steps: copy the folder, (re)start.
        Copy(BuiltProgram.PluginFolder, Path.Combine(plugins, "streamspace-datadog"));
        await PublishAsync(catalog, "1.0.1");
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string>
            {
                ["CATALOG_URL"] = catalog,
                ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret,
            },
            "--plugins",
            plugins
        );
        (await VersionAsync(installation)).ShouldBe("1.0.0");
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);

        var client = new RememberingClient(installation.Http, seed: 23);
        using var stop = new CancellationTokenSource();
        var work = Enumerable.Range(0, 4).Select(worker => client.WorkAsync(worker, stop.Token)).ToList();
        await LoadedAsync(client, 500);
        using var updated = await installation.Http.PostAsync("/api/plugins/catalog/streamspace-datadog/install", null);
        updated.StatusCode.ShouldBe(HttpStatusCode.Created, await updated.Content.ReadAsStringAsync());
        (await VersionAsync(installation)).ShouldBe("1.0.1");
        await LoadedAsync(client, client.Keyed + 500);
        using var reloaded = await installation.Http.PostAsync("/api/plugins/streamspace-datadog/reload", null);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.OK, await reloaded.Content.ReadAsStringAsync());
        await LoadedAsync(client, client.Keyed + 200);
        (await installation.Host.TerminateAsync()).ShouldBe(0);
        installation.StartHostAgain();
        await installation.Host.LineAsync("sign-in?code=");
        await LoadedAsync(client, client.Keyed + 200);
        await stop.CancelAsync();
        await Task.WhenAll(work);
        client.GaveUp.ShouldBeEmpty();
        client.PutOff.ShouldBeGreaterThan(0);
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(5);
        (await SumAsync("kill.keyed")).ShouldBe(client.Keyed);
        (await SumAsync("kill.plain")).ShouldBeInRange(client.Plain, client.Plain + client.PlainUnanswered);
        (await SumAsync("streamspace.user.created")).ShouldBe(client.Users);
        var titles = (await installation.Sandbox.EventsAsync(from, to))
            .EnumerateArray()
            .Select(e => e.GetProperty("title").GetString())
            .ToList();
        titles.Count(t => t == "Plugin Loaded").ShouldBe(4);
        titles.Count(t => t == "Plugin Unloaded").ShouldBe(4);
        await PayloadRules.HoldAsync(installation.Sandbox);
        Directory.Delete(folder, recursive: true);

        async Task<double> SumAsync(string metric) =>
            (await installation.Sandbox.QueryAsync($"sum:{metric}{{*}}.as_count()", from, to)).Sum(s =>
                s.Points.Sum(p => p.Value)
            );
    }

    private static async Task<string?> VersionAsync(Installation installation) =>
        (await installation.StatusAsync()).GetProperty("version").GetString();

    private static Task LoadedAsync(RememberingClient client, long acknowledged) =>
        Eventually.GetAsync("the load", () => Task.FromResult(client.Keyed >= acknowledged ? "so" : null));

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var path = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(file, path);
        }
    }

    [Fact]
    public async Task InstalledAtRunTimeItIsConfiguredByItsRowOfStreamSpacesOwnPage()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await using var database = await UpstreamDatabase.CreateAsync(postgres, "streamspace");
        await database.ExecuteAsync(
            """
            INSERT INTO installed_plugins (name, version, enabled, config)
                VALUES ('streamspace-datadog', '1.0.1', true, '{"site":"sandbox","metricsInterval":"20"}')
            """
        );
        var reader = await database.CreateReaderAsync("observer");
        var folder = TestRun.NewFolder();
        Offer(folder, "1.0.1");
        await using (
            var installation = await Installation.StartWithJudgeAsync(
                new Dictionary<string, string>
                {
                    ["CATALOG_URL"] = folder,
                    ["DB_HOST"] = "127.0.0.1",
                    ["DB_PORT"] = reader.Port.ToString(CultureInfo.InvariantCulture),
                    ["DB_NAME"] = reader.Database,
                    ["DB_USER"] = reader.User,
                    ["DB_PASSWORD"] = reader.Password!,
                },
                "--plugins",
                Path.Combine(folder, "plugins")
            )
        )
        {
            // And again: the watch of the one before has ended.
            foreach (var interval in (int[])[20, 40])
            {
                const string install = "/api/plugins/catalog/streamspace-datadog/install";
                using var installed = await installation.Http.PostAsync(install, null);
                installed.StatusCode.ShouldBe(HttpStatusCode.Created, await installed.Content.ReadAsStringAsync());
                await IntervalIsAsync(installation, interval);
                await database.ExecuteAsync(
                    "UPDATE installed_plugins SET config = '{\"metricsInterval\":\"40\"}', updated_at = now()"
                );
                await IntervalIsAsync(installation, 40);
                using var gone = await installation.Http.DeleteAsync("/api/plugins/streamspace-datadog?discard=true");
                gone.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            }
            (await installation.Host.TerminateAsync()).ShouldBe(0);
            installation.Host.Output.ShouldNotContain("no longer watched");
        }
        Directory.Delete(folder, recursive: true);

        static Task<string> IntervalIsAsync(Installation installation, int seconds) =>
            Eventually.GetAsync(
                $"an interval of {seconds} s",
                async () =>
                {
                    var config = await installation.Http.GetStringAsync("/api/plugins/datadog/config");
                    return config.Contains($"\"metricsInterval\":{seconds}") ? config : null;
                }
            );
    }

    private static void Offer(string catalog, string version)
    {
        var built = TestRun.NewFolder();
        Copy(BuiltProgram.PluginFolder, built);
        var manifest = Path.Combine(built, "manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"1.0.0\"", $"\"{version}\""));
        var archive = Path.Combine(catalog, $"streamspace-datadog-{version}.tar.gz");
        using (var file = File.Create(archive))
        using (var gzip = new GZipStream(file, CompressionLevel.Fastest))
        {
            TarFile.CreateFromDirectory(built, gzip, includeBaseDirectory: false);
        }
        Directory.Delete(built, recursive: true);
        List(catalog, version, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(archive))));
    }

    // Built with another version, by the command of the readme: folder, archive and checksum.
    private static async Task PublishAsync(string catalog, string version)
    {
        var artifacts = TestRun.NewFolder();
        await BuiltProgram.PublishAsync(
            "StreamSpace.Datadog",
            $"-p:Version={version}",
            "--artifacts-path",
            artifacts,
            $"-p:PublishDir={catalog}/streamspace-datadog/",
            $"-p:ArchiveFolder={catalog}/"
        );
        Directory.Delete(artifacts, recursive: true);
        var said = await File.ReadAllTextAsync(Path.Combine(catalog, $"streamspace-datadog-{version}.tar.gz.sha256"));
        List(catalog, version, said.Split(' ')[0]);
    }

    private static void List(string catalog, string version, string sha256)
    {
        var entry = new
        {
            name = "streamspace-datadog",
            version,
            downloadUrl = $"streamspace-datadog-{version}.tar.gz",
            sha256,
        };
        File.WriteAllText(Path.Combine(catalog, "catalog.json"), JsonSerializer.Serialize(new[] { entry }));
    }
}
