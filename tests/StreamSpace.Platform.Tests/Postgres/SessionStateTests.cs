using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>The sessions of StreamSpace 2 by their rows alone.</summary>
[Collection(nameof(OnPostgres))]
public sealed class SessionStateTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    private readonly Telling _told = new();

    [Fact]
    public async Task ARowTellsWhatWasAskedForWhatRunsWhatSleepsAndWhatHasEnded()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await using var run = await SourceRun.PollingAsync(database.Options);
        Take(run.Seen);
        await upstream.RequestAsync("a", "admin", "chrome", now);
        await PollAsync(run);
        (_told.Last.State, _told.Last.Template, _told.Last.CreatedAt).ShouldBe(
            (SessionState.Requested, "chrome", new DateTimeOffset(now, TimeSpan.Zero))
        );

        await upstream.RunAsync("a", now.AddSeconds(4));
        await PollAsync(run);
        _told.Last.Active.ShouldBeTrue();
        await upstream.HibernateAsync("a", now.AddSeconds(60));
        await PollAsync(run);
        _told.Last.State.ShouldBe(SessionState.Hibernated);
        await upstream.TerminateAsync("a", now.AddSeconds(90));
        await PollAsync(run);
        await upstream.RepeatStopAsync("a", now.AddSeconds(150));
        await PollAsync(run);

        _told.Names.ShouldBe("Created Started Hibernated Ended");
        _told.Last.EndedAt.ShouldBe(new DateTimeOffset(now.AddSeconds(90), TimeSpan.Zero));
        _told.Last.User.ShouldBe(new PlatformUser("admin", "admin"));
    }

    [Theory]
    [InlineData("terminated")]
    [InlineData("deleted")]
    [InlineData("terminating")]
    public async Task EachOfTheseStatesIsTheEnd(string state)
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await using var run = await SourceRun.PollingAsync(database.Options);
        await upstream.RequestAsync("a", "admin", "chrome", now);
        await PollAsync(run);
        await upstream.SetStateAsync("a", state, now.AddSeconds(5));
        await PollAsync(run);

        _told.Names.ShouldBe("Created Ended");
    }

    [Fact]
    public async Task AFailedRowHasFailedAndIsOver()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await using var run = await SourceRun.PollingAsync(database.Options);
        await upstream.RequestAsync("a", "admin", "chrome", now);
        await PollAsync(run);
        await upstream.SetStateAsync("a", "failed", now.AddSeconds(5));
        await PollAsync(run);

        _told.Names.ShouldBe("Created Failed Ended");
    }

    [Fact]
    public async Task ARowThatGoesWithItsUserOrByABatchHasEnded()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await database.CreateUserAsync("bob", "bob", now);
        await using var run = await SourceRun.PollingAsync(database.Options);
        await upstream.RequestAsync("of a user", "bob", "chrome", now);
        await upstream.RequestAsync("of a batch", "admin", "chrome", now);
        await upstream.RequestAsync("stays", "admin", "chrome", now);
        await PollAsync(run);
        await database.DeleteUserAsync("bob");
        await upstream.BatchDeleteAsync("of a batch");
        await PollAsync(run);

        Ended.ShouldBe(["of a batch", "of a user"]);
        _told.Registry.Counts[SessionState.Requested].ShouldBe(1);
    }

    [Fact]
    public async Task ASessionThatCameAndWentBetweenTwoPollsIsCounted()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        await using var run = await SourceRun.PollingAsync(database.Options);
        Take(run.Seen);
        var now = await NowAsync(database);
        await upstream.RequestAsync("a", "admin", "chrome", now);
        await upstream.TerminateAsync("a", now.AddSeconds(2));
        await PollAsync(run);
        await PollAsync(run);

        _told.Names.ShouldBe("Created Ended");
    }

    [Fact]
    public async Task ABatchThatLeavesTheTimeAsItWasIsSeen()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await using var run = await SourceRun.PollingAsync(database.Options);
        await upstream.RequestAsync("a", "admin", "chrome", now.AddHours(-3));
        await upstream.RunAsync("a", now.AddHours(-3));
        await PollAsync(run);
        await upstream.BatchAsync("a", "hibernated");
        await PollAsync(run);
        _told.Last.State.ShouldBe(SessionState.Hibernated);

        await upstream.BatchAsync("a", "running");
        await PollAsync(run);

        _told.Last.Active.ShouldBeTrue();
    }

    [Fact]
    public async Task WhatWasThereAtTheFirstPollIsNobodysNewsAndWhatHadEndedIsNone()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await upstream.RequestAsync("open", "admin", "chrome", now.AddSeconds(-1));
        await upstream.RequestAsync("over", "admin", "chrome", now.AddSeconds(-1));
        await upstream.TerminateAsync("over", now);
        await using var run = await SourceRun.PollingAsync(database.Options);
        Take(run.Seen);
        await upstream.RunAsync("open", await NowAsync(database));
        await PollAsync(run);

        _told.Facts.OfType<SessionFact>().Select(f => (f.GetType(), f.Session.Id)).ShouldBe([]);
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Running] = 1 });
    }

    [Fact]
    public async Task WhatHappenedWhileNobodyPolledIsCountedAfterwards()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        string? checkpoint;
        await using (var before = await SourceRun.PollingAsync(database.Options))
        {
            await upstream.RequestAsync("ends", "admin", "chrome", now);
            await upstream.RequestAsync("vanishes", "admin", "chrome", now);
            await PollAsync(before);
            checkpoint = before.Checkpoint;
        }
        await upstream.TerminateAsync("ends", now.AddSeconds(3));
        await upstream.BatchDeleteAsync("vanishes");
        await upstream.RequestAsync("came and went", "admin", "chrome", now.AddSeconds(4));
        await upstream.TerminateAsync("came and went", now.AddSeconds(5));
        await upstream.RequestAsync("came", "admin", "chrome", now.AddSeconds(6));

        await using var run = await SourceRun.PollingAsync(database.Options, checkpoint);
        Take(run.Seen);

        _told.Facts.OfType<SessionCreated>().Count().ShouldBe(4);
        Ended.ShouldBe(["came and went", "ends", "vanishes"]);
    }

    [Fact]
    public async Task AnUpgradeIsNoticedByTheNextPollAndWhatItBringsIsNew()
    {
        await using var database = await postgres.DatabaseAsync();
        var upstream = new UpstreamV2(database);
        // Version 1 closes no row.
        await database.ExecuteAsync("INSERT INTO sessions (id, user_id, state) VALUES ('left', 'admin', 'running')");
        await using var run = await SourceRun.PollingAsync(database.Options);
        run.Source.Status.Detail.ShouldNotContain("StreamSpace 2");

        var now = await NowAsync(database);
        await upstream.UpgradeAsync();
        await upstream.ConnectAgentAsync(now);
        await upstream.RequestAsync("a", "admin", "chrome", now);
        await PollAsync(run);
        await PollAsync(run);

        run.Source.Status.Detail.ShouldContain("StreamSpace 2");
        run.Source.Status.Detail.ShouldContain("1 approved agents, 1 of them connected");
        _told.Names.ShouldBe("Created");
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Requested] = 1 });
    }

    [Fact]
    public async Task TenThousandSessionsAreKnownWithTheFirstPollAndEachThatVanishesInTime()
    {
        await using var database = await NewAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO sessions (id, user_id, template_name, state, platform, agent_id, created_at, updated_at)
            SELECT 's' || to_char(n, 'FM00000'), 'admin', 'chrome', 'running', 'kubernetes', $1, $2, $2
            FROM generate_series(1, 9999) n
            """,
            UpstreamV2.Agent,
            Morning
        );
        await using var run = await SourceRun.PollingAsync(database.Options);
        Take(run.Seen);
        _told.Registry.Counts[SessionState.Running].ShouldBe(9_999);
        run.Source.IsCatchingUp.ShouldBeFalse();

        await new UpstreamV2(database).BatchDeleteAsync("s00500");
        for (var round = 0; round < 12; round++)
        {
            await PollAsync(run);
        }

        Ended.ShouldBe(["s00500"]);
        _told.Registry.Counts[SessionState.Running].ShouldBe(9_998);
    }

    [Fact]
    public async Task AgentsAreToldByOurClockAndAnAgentThatNobodyApprovedIsNone()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await upstream.ConnectAgentAsync(now.AddSeconds(-30));
        await upstream.AskForApprovalAsync(now, "stranger");
        await upstream.ConnectAgentAsync(now.AddSeconds(-5), "docker-1", "docker");
        await upstream.DisconnectAgentAsync("docker-1");
        await using var run = await SourceRun.PollingAsync(database.Options);

        var agents = run.Seen.OfType<AgentsSeen>().Last().Agents;
        agents
            .Select(a => (a.Id, a.Platform, a.Connected))
            .ShouldBe([("docker-1", "docker", false), (UpstreamV2.Agent, "kubernetes", true)]);
        // The source's clock is years from the server's.
        var age = DateTimeOffset.FromUnixTimeSeconds(1_772_438_400) - agents[1].HeardAt!.Value;
        age.TotalSeconds.ShouldBe(30, tolerance: 25);
        run.Source.Status.Detail.ShouldContain(PostgresCheck.DockerTellsNothing);
    }

    [Fact]
    public async Task AnUnknownStateIsSaidAndChangesNothing()
    {
        await using var database = await NewAsync();
        var upstream = new UpstreamV2(database);
        var now = await NowAsync(database);
        await using var run = await SourceRun.PollingAsync(database.Options);
        await upstream.RequestAsync("a", "admin", "chrome", now);
        await upstream.SetStateAsync("a", "levitating", now);
        await PollAsync(run);

        _told.Names.ShouldBe("");
        run.Source.Status.Detail.ShouldContain("Sessions in unknown states are left out: levitating.");
    }

    private IEnumerable<string> Ended =>
        _told.Facts.OfType<SessionEnded>().Select(f => f.Session.Id).Order(StringComparer.Ordinal);

    private async Task<UpstreamDatabase> NewAsync()
    {
        var database = await postgres.DatabaseAsync();
        var upstream = new UpstreamV2(database);
        await upstream.UpgradeAsync();
        await upstream.ConnectAgentAsync(Morning);
        return database;
    }

    private static Task<DateTime> NowAsync(UpstreamDatabase database) =>
        database.ValueAsync<DateTime>("SELECT localtimestamp");

    private async Task PollAsync(SourceRun run) => Take(await run.PollAsync());

    private void Take(IEnumerable<Observation> seen) => _told.See([.. seen]);
}
