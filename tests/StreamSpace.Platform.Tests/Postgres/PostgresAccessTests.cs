using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

[Collection(nameof(OnPostgres))]
public sealed class PostgresAccessTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    [Fact]
    public async Task TheGrantsThatWeAskForAreEnoughAndGiveNoMore()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("reader_enough");
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await using var run = await SourceRun.PollingAsync(reader);

        await upstream.LogInAsync("u1", Morning.AddSeconds(1));
        await upstream.CreateUserAsync("u2", "bob", Morning);
        await run.PollAsync();

        run.Facts.Select(f => (f.Act, f.User.Name)).ShouldBe([(UserAct.Created, "bob"), (UserAct.LoggedIn, "ada")]);
        run.Source.Status.State.ShouldBe(SourceState.Up);
        run.Source.Status.Detail.ShouldNotContain("GRANT");
        await using var database = reader.Open(readOnly: false);
        foreach (var hidden in (string[])["password_hash FROM users", "email FROM users", "* FROM audit_log"])
        {
            await using var command = database.CreateCommand($"SELECT {hidden}");
            var refused = await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
            refused.SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        }
    }

    [Fact]
    public async Task AMissingRightCostsOnlyItsOwnPartAndIsNamedWithItsGrant()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("reader_partly");
        await upstream.ExecuteAsync("REVOKE SELECT (changes) ON audit_log FROM reader_partly");
        await using var run = await SourceRun.PollingAsync(reader);
        const string grant =
            "GRANT SELECT (id, user_id, action, resource_type, changes, timestamp, ip_address) ON public.audit_log TO \"reader_partly\";";
        run.Source.Status.Detail.ShouldContain(grant);

        await upstream.CreateUserAsync("u1", "ada", Morning);
        await upstream.LogInAsync("u1", Morning);
        (await run.PollAsync()).OfType<UserActed>().ShouldHaveSingleItem().Act.ShouldBe(UserAct.Created);

        // Granted while it runs: noticed by itself, and what was there before is history.
        await upstream.ExecuteAsync(grant);
        await run.PassTimeUntilAsync(() => !run.Source.Status.Detail.Contains("GRANT"), "the right noticed");
        await upstream.LogInAsync("u1", Morning.AddSeconds(5));
        await run.PollAsync();
        run.Facts.Count(f => f.Act is UserAct.LoggedIn).ShouldBe(1);
    }

    [Fact]
    public async Task ARightThatIsTakenAwayWhileItRunsCostsOnlyItsOwnPart()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("reader_revoked");
        await using var run = await SourceRun.PollingAsync(reader);
        await upstream.LogOutAsync(Morning);
        await run.PollAsync();

        await upstream.ExecuteAsync("REVOKE SELECT (changes) ON audit_log FROM reader_revoked");
        await run.PassTimeUntilAsync(() => run.Source.Status.Detail.Contains("GRANT"), "the loss noticed");
        await upstream.LogOutAsync(Morning.AddSeconds(1));
        await upstream.ExecuteAsync(RequiredColumns.Audit.Grant("reader_revoked"));
        await run.PassTimeUntilAsync(() => !run.Source.Status.Detail.Contains("GRANT"), "the right noticed");
        await run.PollAsync();

        // The second log-out was there all the time, and nothing was forgotten.
        run.Facts.Count().ShouldBe(2);
    }

    [Fact]
    public async Task TheServerItselfRefusesOurWrites()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var database = upstream.Options.Open(readOnly: true);
        await using var command = database.CreateCommand("DELETE FROM users");

        var refused = await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync());

        refused.SqlState.ShouldBe(PostgresErrorCodes.ReadOnlySqlTransaction);
    }

    [Fact]
    public async Task AllOfALookIsOneSnapshot()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var database = upstream.Options.Open(readOnly: true);
        await using var connection = await database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var batch = connection.CreateBatch();
        const string counted = "SELECT (SELECT count(*) FROM audit_log), now(), pg_sleep(0.3)";
        batch.BatchCommands.Add(PostgresStatements.With(counted));
        batch.BatchCommands.Add(PostgresStatements.With(counted));

        var reading = batch.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        await upstream.LogOutAsync(Morning);
        await using var rows = await reading;
        await rows.ReadAsync(TestContext.Current.CancellationToken);
        var first = (rows.GetInt64(0), rows.GetDateTime(1));
        await rows.NextResultAsync(TestContext.Current.CancellationToken);
        await rows.ReadAsync(TestContext.Current.CancellationToken);

        (rows.GetInt64(0), rows.GetDateTime(1)).ShouldBe(first);
    }

    [Theory]
    [InlineData("wrong password", "set DB_USER and DB_PASSWORD")]
    [InlineData("no database", "check DB_NAME")]
    [InlineData("no server", "check DB_HOST")]
    [InlineData("no tls", "set DB_SSL_MODE")]
    public async Task WhatKeepsUsOutIsSaidWithoutASecret(string what, string fix)
    {
        await using var upstream = await postgres.DatabaseAsync();
        var options = what switch
        {
            "wrong password" => upstream.Options with { Password = Secret.Wrong },
            "no database" => upstream.Options with { Database = "elsewhere", Password = Secret.OwnerPassword },
            "no server" => upstream.Options with { Port = 1, Password = Secret.Wrong },
            _ => upstream.Options with { SslModeName = "require" },
        };
        await using var run = new SourceRun(options);

        await run.PassTimeUntilAsync(() => run.Source.Status.Detail.Contains(fix), "the reason");

        run.Source.Status.State.ShouldBe(SourceState.Connecting);
        TestRun.Search.LookAt("the options", options.ToString());
        var found = await CheckAsync(options);
        found.ShouldHaveSingleItem().Fix!.ShouldContain(fix);
    }

    [Fact]
    public async Task TheCheckNamesEveryErrorWithItsFix()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("reader_checked");
        await upstream.LogOutAsync(await upstream.ValueAsync<DateTime>("SELECT localtimestamp"));
        await upstream.ExecuteAsync("REVOKE SELECT (username) ON users FROM reader_checked");
        await upstream.ExecuteAsync("DROP TABLE sessions");

        var found = await CheckAsync(reader);

        found
            .Select(f => (f.What, f.Verdict))
            .ShouldBe([
                ("postgresql", CheckVerdict.Good),
                ("postgresql, version", CheckVerdict.Good),
                ("postgresql, table users", CheckVerdict.Error),
                ("postgresql, table audit_log", CheckVerdict.Good),
                ("postgresql, table sessions", CheckVerdict.Error),
                ("postgresql, table installed_plugins", CheckVerdict.Good),
                ("postgresql, clock", CheckVerdict.Good),
                ("postgresql, DB_TIME_ZONE", CheckVerdict.Good),
            ]);
        found.ShouldAllBe(f => (f.Verdict == CheckVerdict.Good) == (f.Fix == null));
        found[2].Fix.ShouldBe(RequiredColumns.Users.Grant("reader_checked"));
        TestRun.Search.LookAt("what is found", string.Join('\n', found));
    }

    [Fact]
    public async Task OfVersionTwoTheCheckSaysWhatItCannotTellAndPrintsWhatIsToBeGrantedBesides()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var reader = await upstream.CreateReaderAsync("reader_of_two");
        var version2 = new UpstreamV2(upstream);
        await version2.UpgradeAsync();
        await version2.ConnectAgentAsync(Morning, "docker-1", "docker");
        await using var run = await SourceRun.PollingAsync(reader);
        var grants = RequiredColumns.SessionStates.Grant("reader_of_two") + " No agents and their heartbeats";
        run.Source.Status.Detail.ShouldContain(grants);

        var missing = await CheckAsync(reader);
        missing.Single(f => f.What == "postgresql, version").Found.ShouldStartWith("StreamSpace 2");
        var fixes = missing.Where(f => f.Verdict is CheckVerdict.Error).Select(f => f.Fix).ToList();
        fixes.ShouldBe(PostgresGrants.ReadV2("reader_of_two").Split('\n'));

        foreach (var fix in fixes)
        {
            await upstream.ExecuteAsync(fix!);
        }
        var found = await CheckAsync(reader);
        found.ShouldNotContain(f => f.Verdict == CheckVerdict.Error);
        found.ShouldContain(f => f.Found == PostgresCheck.DockerTellsNothing);
        await run.PassTimeUntilAsync(
            () => run.Source.Status.Detail.Contains("1 approved agents"),
            "the grants noticed"
        );
        await using var database = reader.Open(readOnly: false);
        await using var command = database.CreateCommand("SELECT api_key_hash FROM agents");
        (await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState.ShouldBe(
            PostgresErrorCodes.InsufficientPrivilege
        );
    }

    [Fact]
    public async Task ATimeZoneThatIsNotTheApisIsFound()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.LogOutAsync(await upstream.ValueAsync<DateTime>("SELECT localtimestamp - interval '7 hours'"));

        (await CheckAsync(upstream.Options))
            .Single(f => f.What.EndsWith("DB_TIME_ZONE", StringComparison.Ordinal))
            .Verdict.ShouldBe(CheckVerdict.Warning);
        var denver = upstream.Options with { TimeZone = TimeZoneInfo.FindSystemTimeZoneById("Etc/GMT+7") };
        (await CheckAsync(denver))
            .Single(f => f.What.EndsWith("DB_TIME_ZONE", StringComparison.Ordinal))
            .Verdict.ShouldBe(CheckVerdict.Good);
    }

    [Theory]
    [InlineData(0, CheckVerdict.Good)]
    [InlineData(-600, CheckVerdict.Error)]
    [InlineData(600, CheckVerdict.Error)]
    public async Task AClockOfTheDatabaseThatIsOffIsMeasuredByWhatItSaysAndFound(int ahead, CheckVerdict verdict)
    {
        await using var upstream = await postgres.DatabaseAsync();
        var theirs = await upstream.ValueAsync<DateTime>("SELECT now()");
        var ours = new FakeTimeProvider(new DateTimeOffset(theirs).AddSeconds(-ahead));

        var found = (
            await PostgresCheck.CheckAsync(upstream.Options, ours, TestContext.Current.CancellationToken)
        ).Single(f => f.What == "postgresql, clock");

        found.Verdict.ShouldBe(verdict);
        (found.Fix is null).ShouldBe(verdict is CheckVerdict.Good);
        await using var run = await SourceRun.PollingAsync(upstream.Options, begin: ours.GetUtcNow());
        var shown = Regex
            .Match(run.Source.Status.Detail, @"its clock is ([+-]?[0-9.]+) s against ours")
            .Groups[1]
            .Value;
        double.Parse(shown, CultureInfo.InvariantCulture).ShouldBe(ahead, tolerance: 25);
    }

    private static Task<IReadOnlyList<CheckFinding>> CheckAsync(PostgresOptions options) =>
        PostgresCheck.CheckAsync(options, TimeProvider.System, TestContext.Current.CancellationToken);
}
