using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

[Collection(nameof(OnPostgres))]
public sealed class PostgresSourceTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    [Fact]
    public async Task TheFirstPollCountsNoHistory()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await upstream.LogInAsync("u1", Morning);

        await using var run = await SourceRun.PollingAsync(upstream.Options);

        run.Facts.ShouldBeEmpty();
        run.Seen.OfType<UsersTotalled>().ShouldHaveSingleItem().Total.ShouldBe(2);
        run.Seen.OfType<UsersNamed>()
            .ShouldHaveSingleItem()
            .Users.ShouldBe([new PlatformUser("admin", "admin"), new PlatformUser("u1", "ada")]);
    }

    [Fact]
    public async Task LogInsAreNamedByTheLastLoginThatFellIntoThem()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await upstream.CreateUserAsync("u2", "bob", Morning);
        await using var run = await SourceRun.PollingAsync(upstream.Options);

        await upstream.LogInAsync("u2", Morning.AddSeconds(1));
        await upstream.LogInAsync("u1", Morning.AddSeconds(1.05));
        await upstream.LogInAsync("u1", Morning.AddSeconds(9));
        await upstream.AuditAsync("POST", "/api/v1/auth/login", 401, Morning.AddSeconds(2));
        await upstream.AuditAsync("GET", "/api/v1/auth/login", 200, Morning.AddSeconds(2));
        await upstream.AuditAsync("POST", "/api/v1/auth/refresh", 200, Morning.AddSeconds(2));
        await run.PollAsync();

        run.Facts.Select(f => (f.Act, f.User.Name, f.At))
            .ShouldBe([
                (UserAct.LoggedIn, "bob", new DateTimeOffset(Morning.AddSeconds(1), TimeSpan.Zero)),
                // Of two log-ins of ada only the later left its mark.
                (UserAct.LoggedIn, null, new DateTimeOffset(Morning.AddSeconds(1.05), TimeSpan.Zero)),
                (UserAct.LoggedIn, "ada", new DateTimeOffset(Morning.AddSeconds(9), TimeSpan.Zero)),
            ]);
        (await run.PollAsync()).OfType<UserActed>().ShouldBeEmpty();
    }

    [Fact]
    public async Task AnApiThatRefusesEveryRequestForASessionIsToldWithinTheSameStatements()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await AnswerAsync(1, 202);
        (await AnsweredAsync()).ShouldBe(new CreatesAnswered(null, At(1)));

        // One may have broken by itself, and what is no error of the API's own says nothing.
        await AnswerAsync(2, 500);
        (await AnsweredAsync()).ShouldBeNull();
        await AnswerAsync(3, 403);
        await upstream.AuditAsync("POST", "/api/v1/sessions/s/heartbeat", 500, Morning.AddSeconds(4));
        await upstream.AuditAsync("GET", "/api/v1/sessions", 500, Morning.AddSeconds(5));
        (await AnsweredAsync()).ShouldBeNull();
        await AnswerAsync(6, 500);
        (await AnsweredAsync()).ShouldBe(new CreatesAnswered(At(2), At(6)));
        await AnswerAsync(7, 202);
        (await AnsweredAsync()).ShouldBe(new CreatesAnswered(null, At(7)));

        // In version 2 these have other reasons.
        await new UpstreamV2(upstream).UpgradeAsync();
        await AnswerAsync(8, 500);
        await AnswerAsync(9, 500);
        (await AnsweredAsync()).ShouldBeNull();

        DateTimeOffset At(int second) => new(Morning.AddSeconds(second), TimeSpan.Zero);
        Task AnswerAsync(int second, int status) =>
            upstream.AuditAsync("POST", "/api/v1/sessions", status, Morning.AddSeconds(second));
        async Task<CreatesAnswered?> AnsweredAsync() =>
            (await run.PollAsync()).OfType<CreatesAnswered>().SingleOrDefault();
    }

    [Fact]
    public async Task ALastLoginNamesOneLogInOnly()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.LogInAsync("u1", Morning);
        await run.PollAsync();

        // At the same time somebody logged in whose own mark is gone, and the row came late.
        await upstream.AuditAsync("POST", "/api/v1/auth/login", 200, Morning.AddMilliseconds(20), took: 82);
        await run.PollAsync();

        run.Facts.Select(f => f.User.Name).ShouldBe(["ada", null]);
    }

    [Fact]
    public async Task ALogOutIsNamedAfterTheOnlyUserWhoIsStillLoggedInFromItsAddress()
    {
        await using var upstream = await postgres.DatabaseAsync();
        foreach (var user in (string[])["u1", "u2", "u3", "u4"])
        {
            await upstream.CreateUserAsync(user, user, Morning);
        }
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.LogInAsync("u1", Morning.AddSeconds(1), "10.0.0.1");
        await upstream.LogInAsync("u2", Morning.AddSeconds(2), "10.0.0.2");
        await upstream.LogInAsync("u3", Morning.AddSeconds(3), "10.0.0.2");
        await upstream.LogInAsync("u4", Morning.AddSeconds(4), "10.0.0.4");
        await run.PollAsync();

        await upstream.AuditAsync("GET", "/api/v1/sessions", 200, Morning.AddHours(2), "u2", "10.0.0.4");
        await upstream.LogOutAsync(Morning.AddHours(1), "10.0.0.1");
        await upstream.LogOutAsync(Morning.AddHours(1.1), "10.0.0.1");
        await upstream.LogOutAsync(Morning.AddHours(1.2), "10.0.0.2");
        await upstream.LogOutAsync(Morning.AddHours(2.1), "10.0.0.4");
        await run.PollAsync();

        run.Facts.Where(f => f.Act is UserAct.LoggedOut)
            .OrderBy(f => f.At)
            .Select(f => f.User.Id)
            .ShouldBe(["u1", null, null, null], "closed by the first, two users, another one seen there");
    }

    [Fact]
    public async Task CallsWithoutATokenLogNobodyOutWhoHasNotLoggedInThere()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.AuditAsync("GET", "/api/v1/sessions", 200, Morning, "admin", "10.0.0.1");
        await upstream.LogOutAsync(Morning.AddSeconds(5), "10.0.0.1");
        await upstream.LogOutAsync(Morning.AddSeconds(6), "10.0.0.1");
        await run.PollAsync();

        run.Facts.Select(f => (f.Act, f.User.Id)).ShouldBe([(UserAct.LoggedOut, null), (UserAct.LoggedOut, null)]);
    }

    [Fact]
    public async Task ARowWithAnEarlyIdThatIsCommittedLateIsCountedOnce()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await using var slow = await upstream.OpenAsync();
        await using var late = await slow.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await UpstreamDatabase.AuditAsync(slow, "POST", "/api/v1/auth/login", 200, Morning);
        await upstream.AuditAsync("POST", "/api/v1/auth/login", 200, Morning.AddSeconds(1));
        (await run.PollAsync()).OfType<UserActed>().Count().ShouldBe(1);

        // A restart in between must not forget the hole.
        await using var again = await SourceRun.PollingAsync(upstream.Options, run.Checkpoint);
        await late.CommitAsync(TestContext.Current.CancellationToken);
        (await again.PollAsync()).OfType<UserActed>().ShouldHaveSingleItem().At.UtcDateTime.ShouldBe(Morning);
        (await again.PollAsync()).OfType<UserActed>().ShouldBeEmpty();
    }

    [Fact]
    public async Task AccountsThatComeAndGoAreToldAlsoWhenNobodyLooked()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.CreateUserAsync("u2", "bob", Morning.AddMinutes(1));
        await run.PollAsync();
        run.Facts.ShouldHaveSingleItem()
            .ShouldSatisfyAllConditions(
                f => f.Act.ShouldBe(UserAct.Created),
                f => f.User.ShouldBe(new PlatformUser("u2", "bob")),
                f => f.At.UtcDateTime.ShouldBe(Morning.AddMinutes(1))
            );
        var created = run.Facts.Single().FactId;

        await upstream.DeleteUserAsync("u1");
        await upstream.DeleteUserAsync("u2");
        await upstream.CreateUserAsync("u2", "bob", Morning.AddMinutes(9));
        await using var again = await SourceRun.PollingAsync(upstream.Options, run.Checkpoint);

        again.Facts.Count(f => f.Act is UserAct.Deleted).ShouldBe(2);
        var anew = again.Facts.Single(f => f.Act is UserAct.Created);
        anew.User.Name.ShouldBe("bob");
        anew.FactId.ShouldNotBe(created);
        again.Seen.OfType<UsersTotalled>().Single().Total.ShouldBe(2);
    }

    [Fact]
    public async Task AnAuditLogThatBeginsAnewIsNotCountedBackwards()
    {
        await using var upstream = await postgres.DatabaseAsync();
        for (var i = 0; i < 5; i++)
        {
            await upstream.LogOutAsync(Morning);
        }
        await using var run = await SourceRun.PollingAsync(upstream.Options);

        await upstream.ExecuteAsync("TRUNCATE audit_log RESTART IDENTITY");
        await upstream.LogOutAsync(Morning.AddSeconds(1));
        (await run.PollAsync()).OfType<UserActed>().ShouldBeEmpty();
        await upstream.LogOutAsync(Morning.AddSeconds(2));

        (await run.PollAsync()).OfType<UserActed>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task ARestoredDatabaseThatHasOvertakenUsIsRecognised()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.LogOutAsync(Morning);
        await upstream.LogOutAsync(Morning);
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.LogOutAsync(Morning.AddSeconds(1));
        await run.PollAsync();
        var checkpoint = run.Checkpoint;

        await upstream.ExecuteAsync("TRUNCATE audit_log RESTART IDENTITY");
        for (var i = 0; i < 9; i++)
        {
            await upstream.LogOutAsync(Morning.AddDays(-1).AddMinutes(i));
        }
        await upstream.CreateUserAsync("u9", "of the other database", Morning.AddDays(-9));
        await using var again = await SourceRun.PollingAsync(upstream.Options, checkpoint);
        await again.PollAsync();

        again.Facts.ShouldBeEmpty();
    }

    [Fact]
    public async Task RowsThatAnOperatorPurgesChangeNothing()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.LogOutAsync(Morning);
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.LogOutAsync(Morning.AddSeconds(1));
        await run.PollAsync();

        await upstream.ExecuteAsync("DELETE FROM audit_log");
        await run.PollAsync();
        await upstream.LogOutAsync(Morning.AddSeconds(2));
        await run.PollAsync();

        run.Facts.Count().ShouldBe(2);
    }

    [Fact]
    public async Task TimesAreReadInTheZoneOfTheApi()
    {
        await using var upstream = await postgres.DatabaseAsync();
        var options = upstream.Options with { TimeZone = TimeZoneInfo.FindSystemTimeZoneById("America/Denver") };
        await using var run = await SourceRun.PollingAsync(options);

        await upstream.LogOutAsync(Morning);
        await run.PollAsync();

        run.Facts.Single().At.UtcDateTime.ShouldBe(Morning.AddHours(7));
    }

    [Fact]
    public async Task AWrongZoneIsSeenInTheStatus()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        var now = await upstream.ValueAsync<DateTime>("SELECT localtimestamp");

        await upstream.LogOutAsync(now);
        await run.PollAsync();
        run.Source.Status.Detail.ShouldNotContain("DB_TIME_ZONE");
        await upstream.LogOutAsync(now.AddHours(-7));
        await run.PollAsync();

        run.Source.Status.Detail.ShouldContain("7.0 h behind the database's clock: set DB_TIME_ZONE");
    }

    [Fact]
    public async Task RowsThatMakeNoSenseStopNothing()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);

        foreach (var time in (string[])["NULL", "'infinity'", "'-infinity'", "'4000-01-01 BC'", "'0001-01-01'"])
        {
            await upstream.ExecuteAsync(
                $$"""
                INSERT INTO audit_log (user_id, action, resource_type, changes, "timestamp")
                VALUES (NULL, 'POST', '/api/v1/auth/login', '{"status_code": 200, "duration_ms": 1e400}', {{time}})
                """
            );
            await upstream.ExecuteAsync(
                $"INSERT INTO users (id, username, email, created_at) VALUES ($1, $1, $1, {time})",
                $"u{time}"
            );
        }
        await upstream.ExecuteAsync("INSERT INTO audit_log (changes) VALUES ('[1]'), ('7'), (NULL)");
        await upstream.LogOutAsync(Morning);
        await run.PollAsync();
        await run.PollAsync();

        run.Facts.Count(f => f.Act is UserAct.LoggedIn).ShouldBe(5);
        run.Facts.Count(f => f.Act is UserAct.Created).ShouldBe(5);
        run.Facts.Count(f => f.Act is UserAct.LoggedOut).ShouldBe(1);
    }

    [Fact]
    public async Task SessionRowsOnlyDescribe()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await upstream.ExecuteAsync(
            "INSERT INTO sessions (id, user_id, template_name, state, platform, created_at) VALUES ('s', 'u1', 'chrome', 'running', 'kubernetes', $1)",
            Morning
        );

        await using var run = await SourceRun.PollingAsync(upstream.Options);

        run.Seen.OfType<SessionObservation>()
            .ShouldHaveSingleItem()
            .ShouldBeOfType<SessionDescribed>()
            .ShouldSatisfyAllConditions(
                s => s.User.Id.ShouldBe("u1"),
                s => s.Template.ShouldBe("chrome"),
                s => s.Platform.ShouldBe("kubernetes"),
                s => s.CreatedAt!.Value.UtcDateTime.ShouldBe(Morning)
            );
    }
}
