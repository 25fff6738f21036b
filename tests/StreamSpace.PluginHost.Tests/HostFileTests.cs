using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Shouldly;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What the real process makes of the <c>host.db</c> that it finds.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class HostFileTests
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // A real source, so that the registry is in the file as well.
    private static readonly Dictionary<string, string> Environment = new()
    {
        ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret,
    };

    private readonly string _data = Path.Combine(TestRun.NewFolder(), "data");

    private string DatabasePath => Path.Combine(_data, "host.db");

    public static TheoryData<string> Damages => ["no database", "its pages", "a table is gone", "a config"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task ADamagedFileIsQuarantinedNamedInLogAndStatusAndTheServiceStarts(string what)
    {
        await RunOnceAsync();
        Damage(what);
        var damaged = await File.ReadAllBytesAsync(DatabasePath, TestContext.Current.CancellationToken);

        await using var host = await ServeAsync();

        var aside = Directory.GetFiles(_data, "host.db.damaged-*").ShouldHaveSingleItem();
        (await File.ReadAllBytesAsync(aside, TestContext.Current.CancellationToken)).ShouldBe(damaged);
        File.GetUnixFileMode(aside).ShouldBe(Owner);
        host.Output.Concat(host.Errors).ShouldContain(line => line.Contains($"is set aside as {aside}"));
        (await StatusAsync(host))["storeDamage"]!.GetValue<string>().ShouldContain(aside);
        host.Signal("TERM");
        (await host.EndAsync()).ShouldBe(0);

        await using var next = await ServeAsync();
        (await StatusAsync(next))["storeDamage"].ShouldBeNull();
    }

    [Fact]
    public async Task AFileThatIsMissingBesideOneThatRemembersItIsToldAndAFreshFolderSaysNothing()
    {
        var kept = Path.Combine(_data, "streamspace-echo", "kept.db");
        await using (var fresh = await ServeAsync())
        {
            (await StatusAsync(fresh))["storeDamage"].ShouldBeNull();
            await File.WriteAllTextAsync(kept, "", TestContext.Current.CancellationToken);
        }
        await RunOnceAsync();
        File.Delete(kept);
        await using (var without = await ServeAsync())
        {
            var told = (await StatusAsync(without))["plugins"]![0]!["missing"]!.GetValue<string>();
            told.ShouldContain("kept.db was there when streamspace-echo ran last");
            without.Output.Concat(without.Errors).ShouldContain(line => line.Contains(told));
            await File.WriteAllTextAsync(kept, "", TestContext.Current.CancellationToken);
        }
        foreach (var file in Directory.GetFiles(_data, "host.db*"))
        {
            File.Delete(file);
        }
        await using var host = await ServeAsync();
        var status = await StatusAsync(host);
        status["storeDamage"]!
            .GetValue<string>()
            .ShouldContain("host.db is missing, though streamspace-echo kept data");
        status["plugins"]![0]!["missing"].ShouldBeNull();
    }

    [Fact]
    public async Task AConfigThatWasSavedSurvivesADamageOfTheLogAndTheDamageIsTold()
    {
        var log = $"{DatabasePath}-wal";
        await using (var host = await ServeAsync())
        {
            using var client = Client(host);
            using var saved = await client.PutAsync(
                "api/plugins/echo/config",
                TestHost.Json("""{"interval":77}"""),
                TestContext.Current.CancellationToken
            );
            saved.EnsureSuccessStatusCode();
            for (var user = 0; user < 3; user++)
            {
                using var taken = await client.PostAsync(
                    "api/events",
                    TestHost.Json(
                        $$$"""{"event":"user.login","timestamp":"{{{TimeProvider.System.GetUtcNow():O}}}","data":{"user_id":"u{{{user}}}"}}"""
                    ),
                    TestContext.Current.CancellationToken
                );
                taken.EnsureSuccessStatusCode();
            }
            host.Signal("KILL");
            await host.EndAsync();
        }
        // All but its first page header: from there on SQLite takes nothing of it for written.
        var bytes = await File.ReadAllBytesAsync(log, TestContext.Current.CancellationToken);
        new Random(3).NextBytes(bytes.AsSpan(64, 64));
        await File.WriteAllBytesAsync(log, bytes, TestContext.Current.CancellationToken);

        await using var next = await ServeAsync();
        (await StatusAsync(next))["storeDamage"]!.GetValue<string>().ShouldStartWith("host.db-wal was damaged");
        using var asking = Client(next);
        (await asking.GetStringAsync("api/plugins/echo/config", TestContext.Current.CancellationToken)).ShouldContain(
            "\"interval\":77"
        );
    }

    [Fact]
    public async Task BesideTheServiceADamagedFileIsNamedAndStaysWhereItIs()
    {
        await RunOnceAsync();
        Damage("its pages");

        await using var check = HostProcess.Start(["check", "--plugins", TestHost.EchoFolder, "--data", _data]);

        (await check.EndAsync()).ShouldBe(1);
        check.Output.ShouldContain(line => line.Contains(DatabasePath));
        Directory.GetFiles(_data, "host.db.damaged-*").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("host_schema")]
    [InlineData("platform_schema")]
    public async Task AFileOfALaterVersionEndsItWithOneSentenceAndStays(string table)
    {
        await RunOnceAsync();
        Execute($"UPDATE {table} SET version = 99");

        await using var host = HostProcess.Start(HostProcess.Arguments(_data), Environment);

        (await host.EndAsync()).ShouldBe(1);
        var sentence = host.Errors.ShouldHaveSingleItem();
        sentence.ShouldContain(DatabasePath);
        sentence.ShouldContain("99");
        Execute($"SELECT version FROM {table}").ShouldBe(99L);
        Directory.GetFiles(_data, "host.db.damaged-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatOthersCouldReadIsItsOwnersAloneOnceItRuns()
    {
        await RunOnceAsync();
        File.WriteAllBytes($"{DatabasePath}-wal", []);
        foreach (var file in Directory.GetFiles(_data))
        {
            File.SetUnixFileMode(file, Owner | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        await using var host = await ServeAsync();

        var log = host.Output.Single(line => line.Contains("Log: ")).Split("Log: ")[1];
        string[] files = [DatabasePath, $"{DatabasePath}-wal", Path.Combine(_data, "token-key"), log];
        foreach (var file in files.Concat(Directory.GetFiles(Path.Combine(_data, "keys"))))
        {
            File.GetUnixFileMode(file).ShouldBe(Owner, file);
        }
    }

    [Fact]
    [UnsupportedOSPlatform("macos")]
    public async Task TheServiceHoldsItsLockOnTheFileThatItsTwoStoresShare()
    {
        // From SQLite's file format: whoever has the file open locks these bytes, and who finds them free may remove its log.
        const long sharedFirst = 0x4000_0002;
        const long sharedSize = 510;
        await using var host = await ServeAsync();

        await using var file = new FileStream(DatabasePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Should.Throw<IOException>(() => file.Lock(sharedFirst, sharedSize));
    }

    private async Task<HostProcess> ServeAsync()
    {
        var host = HostProcess.Start(HostProcess.Arguments(_data), Environment);
        await host.SaysAsync("Sign in");
        return host;
    }

    private async Task RunOnceAsync()
    {
        await using var host = await ServeAsync();
        host.Signal("TERM");
        (await host.EndAsync()).ShouldBe(0);
    }

    private void Damage(string what)
    {
        switch (what)
        {
            case "no database":
                File.WriteAllText(DatabasePath, new string('x', 8192));
                break;
            case "its pages":
                // All but the first, which says what the file is.
                var bytes = File.ReadAllBytes(DatabasePath);
                new Random(3).NextBytes(bytes.AsSpan(4096));
                File.WriteAllBytes(DatabasePath, bytes);
                break;
            case "a table is gone":
                Execute("DROP TABLE plugins");
                break;
            default:
                Execute("UPDATE plugins SET config = '{\"interval' || x'00'");
                break;
        }
    }

    private object? Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False");
        connection.Open();
        using var command = new SqliteCommand(sql, connection);
        return command.ExecuteScalar();
    }

    private async Task<JsonObject> StatusAsync(HostProcess host)
    {
        using var client = Client(host);
        return (
            await client.GetFromJsonAsync<JsonObject>(
                new Uri("api/status", UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        )!;
    }

    // Signed in as admin.
    private HttpClient Client(HostProcess host)
    {
        var tokens = AccessTokens.Of(Environment, _data, TimeProvider.System);
        var token = tokens.Issue(Roles.Admin, TimeSpan.FromHours(1));
        TestRun.Search.Add(token);
        var client = TestRun.NewClient(host.Address);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
