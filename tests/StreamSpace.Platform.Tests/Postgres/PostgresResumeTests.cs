using Shouldly;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>After a restart of ours or of the server it goes on where it was.</summary>
[Collection(nameof(OnPostgres))]
public sealed class PostgresResumeTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    [Fact]
    public async Task TheWatchGoesOnFromItsStore()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.CreateUserAsync("u1", "ada", Morning);
        var folder = TestRun.NewFolder();
        var told = new List<PlatformFact>();
        var users = 0;
        for (var life = 0; life < 2; life++)
        {
            using var store = new SqlitePlatformStore(
                new HostFile(Path.Combine(folder, "host.db"), TimeProvider.System)
            );
            var source = new PostgresSource(
                upstream.Options,
                () => TimeSpan.FromMilliseconds(20),
                TimeProvider.System,
                () => 0,
                new SearchedLog()
            );
            await using var feed = new PlatformFeed(
                [source],
                store,
                isDemo: false,
                TimeProvider.System,
                () => 0,
                new SearchedLog()
            );
            var subscriber = new RecordingSubscriber();
            await feed.SubscribeAsync(subscriber, TestContext.Current.CancellationToken);
            using var stop = new CancellationTokenSource();
            var running = feed.RunAsync(stop.Token);
            await subscriber.Changed.UntilAsync(() => source.Status.Received > 1, "a first poll");
            await upstream.LogInAsync("u1", Morning.AddSeconds(life));
            await subscriber.Changed.UntilAsync(() => subscriber.Facts.OfType<UserLoggedIn>().Any(), "the log-in");
            await stop.CancelAsync();
            await running;
            told.AddRange(subscriber.Facts);
            users = subscriber.States.Select(s => s.Users).OfType<int>().Last();
            // While nobody looks.
            await upstream.LogOutAsync(Morning.AddMinutes(life));
        }

        told.OfType<UserLoggedIn>().Select(e => e.User.Name).ShouldBe(["ada", "ada"]);
        told.OfType<UserLoggedOut>().Count().ShouldBe(1);
        told.OfType<UserFact>().Select(e => e.Id).ShouldBeUnique();
        users.ShouldBe(2);
    }

    [Fact]
    public async Task AServerThatComesBackIsReadFromWhereItWasLeft()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.LogOutAsync(Morning);

        await postgres.Server.KillAsync();
        await run.PassTimeUntilAsync(() => run.Source.Status.State is SourceState.Down, "the loss");
        run.Source.Status.Detail.ShouldContain("check DB_HOST");
        await postgres.Server.StartAgainAsync();
        await upstream.LogOutAsync(Morning.AddSeconds(1));
        await run.PollAsync();

        run.Facts.Count().ShouldBe(2);
        run.Source.Status.State.ShouldBe(SourceState.Up);
    }
}
