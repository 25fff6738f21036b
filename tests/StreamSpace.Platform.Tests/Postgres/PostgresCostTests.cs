using System.Diagnostics;
using System.Text.RegularExpressions;
using Npgsql;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>StreamSpace is never hurt: few statements, each on an index, whatever the size of the tables.</summary>
[Collection(nameof(OnPostgres))]
public sealed class PostgresCostTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    [Fact]
    public async Task APollTakesFiveStatementsAtMost()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.ExecuteAsync("CREATE EXTENSION pg_stat_statements");
        var reader = await upstream.CreateReaderAsync("counted");
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await using var run = await SourceRun.PollingAsync(reader);

        await upstream.ExecuteAsync("SELECT pg_stat_statements_reset()");
        await run.PollAsync();
        (await CallsAsync(upstream)).ShouldBe(4, "head, users, audit_log, sessions");

        await upstream.LogInAsync("u1", Morning);
        await upstream.ExecuteAsync("SELECT pg_stat_statements_reset()");
        await run.PollAsync();
        (await CallsAsync(upstream)).ShouldBe(5, "and who logged in");
        run.Facts.ShouldHaveSingleItem().User.Name.ShouldBe("ada");
    }

    [Fact]
    public async Task OfVersionTwoItIsAsManyWithTenThousandSessions()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.ExecuteAsync("CREATE EXTENSION pg_stat_statements");
        var reader = await upstream.CreateReaderAsync("counted_2");
        await FillV2Async(upstream, open: 10_000, ended: 50_000);
        await upstream.ExecuteAsync(PostgresGrants.ReadV2("counted_2"));
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await using var run = await SourceRun.PollingAsync(reader);
        run.Seen.OfType<StatusReported>().Count().ShouldBe(10_000);

        await upstream.ExecuteAsync("SELECT pg_stat_statements_reset()");
        var soon = await run.PollAsync();
        (await CallsAsync(upstream)).ShouldBe(4, "head with the agents, users, audit_log, sessions");
        soon.OfType<StatusReported>().ShouldBeEmpty("nothing has changed");

        await upstream.LogInAsync("u1", Morning);
        await upstream.ExecuteAsync("SELECT pg_stat_statements_reset()");
        await run.PollAsync();
        (await CallsAsync(upstream)).ShouldBe(5, "and who logged in");
    }

    // Its output is what docs/postgresql.md shows.
    [Fact]
    public async Task OfVersionTwoOnlyWhatWasChangedLatelyIsLookedForInTheWholeTableOfSessions()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await FillV2Async(upstream, open: 10_000, ended: 90_000);
        NpgsqlParameter[] values =
        [
            PostgresStatements.Value("s00500"),
            PostgresStatements.Value(1_000),
            PostgresStatements.Wall(Morning.AddDays(1)),
            PostgresStatements.Value(SessionTableScan.OpenStates),
        ];

        var plan = await ExplainAsync(upstream, PostgresStatements.SessionStates, values);

        TestContext.Current.TestOutputHelper!.WriteLine(plan);
        Regex.Count(plan, "Seq Scan on sessions").ShouldBe(1, "updated_at has no index, and we do not make one");
    }

    // Its output is what docs/postgresql.md shows.
    [Fact]
    public async Task NoStatementReadsALargeAuditLogOrUsersTableFromEndToEnd()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await FillAsync(upstream, users: 30_000, requests: 300_000);

        foreach (var (sql, values) in Statements(high: 299_000, hole: 150_000))
        {
            var plan = await ExplainAsync(upstream, sql, values);
            TestContext.Current.TestOutputHelper!.WriteLine($"{sql}\n\n{plan}\n");
            plan.ShouldNotContain("Seq Scan on audit_log");
            plan.ShouldNotContain("Seq Scan on sessions");
            if (sql != PostgresStatements.LastLogins)
            {
                plan.ShouldNotContain("Seq Scan on users");
            }
        }
    }

    [Fact]
    public async Task ABacklogIsReadInPagesAndCountedWhole()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await FillAsync(upstream, users: 25_000, requests: 50_000);

        var watch = Stopwatch.StartNew();
        await run.PollAsync();
        run.Source.Status.Detail.ShouldContain("Catches up");
        run.Facts.Count(f => f.Act is UserAct.LoggedOut).ShouldBe(200);
        await run.PollAsync();
        await run.PollAsync();
        run.Source.Status.Detail.ShouldNotContain("Catches up");
        TestContext.Current.SendDiagnosticMessage("Three polls at 50,000 rows and 25,000 users: {0}", watch.Elapsed);

        run.Facts.Count(f => f.Act is UserAct.LoggedOut).ShouldBe(500);
        run.Facts.Count(f => f.Act is UserAct.Created).ShouldBe(25_000);
        run.Seen.OfType<UsersTotalled>().Last().Total.ShouldBe(25_001);
    }

    private static IEnumerable<(string Sql, NpgsqlParameter[] Values)> Statements(long high, long hole) =>
        [
            (PostgresStatements.Head(audit: true, agents: false), [PostgresStatements.Value(high)]),
            (PostgresStatements.Users, [PostgresStatements.Value("")]),
            (
                PostgresStatements.Audit,
                [
                    PostgresStatements.Value(high),
                    PostgresStatements.Value(new[] { hole, hole + 10 }),
                    PostgresStatements.Value(new[] { hole, hole + 12 }),
                ]
            ),
            (PostgresStatements.Sessions, [PostgresStatements.Value(""), PostgresStatements.Value(1_000)]),
            (
                PostgresStatements.LastLogins,
                [PostgresStatements.Value(Morning), PostgresStatements.Value(Morning.AddSeconds(1))]
            ),
        ];

    private static async Task FillV2Async(UpstreamDatabase upstream, int open, int ended)
    {
        var version2 = new UpstreamV2(upstream);
        await version2.UpgradeAsync();
        await version2.ConnectAgentAsync(Morning);
        foreach (
            var (prefix, state, count) in (IEnumerable<(string, string, int)>)
                [("s", "running", open), ("t", "terminating", ended)]
        )
        {
            await upstream.ExecuteAsync(
                """
                INSERT INTO sessions (id, user_id, template_name, state, platform, agent_id, created_at, updated_at)
                SELECT $1 || to_char(n, 'FM00000'), 'admin', 'chrome', $2, 'kubernetes', $3, $4, $4
                FROM generate_series(1, $5) n
                """,
                prefix,
                state,
                UpstreamV2.Agent,
                Morning,
                count
            );
        }
        await upstream.ExecuteAsync("ANALYZE");
    }

    // Every hundredth request is a log-out.
    private static async Task FillAsync(UpstreamDatabase upstream, int users, int requests)
    {
        await upstream.ExecuteAsync(
            """
            INSERT INTO users (id, username, email, created_at)
            SELECT gen_random_uuid(), 'user' || n, n || '@example.org', $2 FROM generate_series(1, $1) n
            """,
            users,
            Morning
        );
        await upstream.ExecuteAsync(
            """
            INSERT INTO audit_log (user_id, action, resource_type, resource_id, changes, "timestamp", ip_address)
            SELECT '', CASE WHEN n % 100 = 0 THEN 'POST' ELSE 'GET' END,
                CASE WHEN n % 100 = 0 THEN '/api/v1/auth/logout' ELSE '/health' END, '',
                '{"method": "GET", "status_code": 200, "duration_ms": 1}', $2::timestamp + n * interval '1 second',
                '10.0.0.1'
            FROM generate_series(1, $1) n
            """,
            requests,
            Morning
        );
        await upstream.ExecuteAsync(
            "INSERT INTO sessions (id, state) SELECT 's' || n, 'running' FROM generate_series(1, 20000) n"
        );
        // More than anyone installs: the planner reads a table of a few rows whole, whatever its indexes.
        await upstream.ExecuteAsync("ANALYZE");
    }

    private static async Task<string> ExplainAsync(UpstreamDatabase upstream, string sql, NpgsqlParameter[] values)
    {
        await using var connection = await upstream.OpenAsync();
        await using var command = new NpgsqlCommand($"EXPLAIN (ANALYZE, BUFFERS) {sql}", connection);
        command.Parameters.AddRange(values);
        var lines = new List<string>();
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            lines.Add(rows.GetString(0));
        }
        return string.Join('\n', lines);
    }

    private static Task<long> CallsAsync(UpstreamDatabase upstream) =>
        upstream.ValueAsync<long>(
            """
            SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
            WHERE toplevel AND userid IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'counted%')
            """
        );
}
