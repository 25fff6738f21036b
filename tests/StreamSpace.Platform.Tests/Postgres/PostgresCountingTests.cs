using Npgsql;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>
/// Two replicas of the API write in disorder, the server is killed, the source is started again from what was
/// acknowledged: every count is that of an oracle which knows what was committed.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class PostgresCountingTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task EveryFactIsCountedExactlyOnce(int seed)
    {
        await using var upstream = await postgres.DatabaseAsync();
        var day = new Day(upstream, new Random(seed));
        await day.OpenReplicasAsync();
        // History, some of it still on its way when the first poll is made.
        await day.WorkAsync(steps: 40, new Kept());
        await day.CommitAllAsync();
        day.Forget();

        var kept = new Kept();
        var run = await SourceRun.PollingAsync(upstream.Options);
        kept.Acknowledge(run, run.Batches.Count);
        for (var turn = 0; turn < 40; turn++)
        {
            await day.WorkAsync(steps: day.Chance.Next(1, 12), kept);
            await run.PollAsync();
            kept.Acknowledge(run, day.Chance.Next(3));
            if (day.Chance.Next(6) == 0)
            {
                await day.KillServerAsync();
                await run.PassTimeUntilAsync(() => run.Source.Status.State is SourceState.Down, "the loss");
                await postgres.Server.StartAgainAsync();
                await day.OpenReplicasAsync();
                await run.PollAsync();
            }
            if (day.Chance.Next(5) == 0)
            {
                // It dies, and what it said last was not acknowledged.
                await run.DisposeAsync();
                await day.WorkAsync(steps: day.Chance.Next(4), kept);
                run = await SourceRun.PollingAsync(upstream.Options, kept.Checkpoint);
            }
        }
        await day.CommitAllAsync();
        await run.PollAsync();
        kept.Acknowledge(run, run.Batches.Count);
        await run.DisposeAsync();

        kept.Facts.Select(f => f.FactId).ShouldBeUnique();
        kept.Count(UserAct.LoggedIn).ShouldBe(day.LogIns.Values.Sum());
        kept.Count(UserAct.LoggedOut).ShouldBe(day.LogOuts);
        kept.Count(UserAct.Created).ShouldBe(day.Created);
        kept.Count(UserAct.Deleted).ShouldBe(day.Deleted);
        ((long?)kept.Total).ShouldBe(await upstream.ValueAsync<long>("SELECT count(*) FROM users"));
        var named = kept.Facts.Where(f => f.Act is UserAct.LoggedIn && f.User.Id is not null).ToList();
        named
            .GroupBy(f => f.User.Id!)
            .ShouldAllBe(g => g.Count() <= day.LogIns.GetValueOrDefault(g.Key), "nobody is named too often");
        named.Count.ShouldBeGreaterThan(kept.Count(UserAct.LoggedIn) / 4);
        day.Rolled.ShouldBeGreaterThan(0);
        day.LogIns.Values.Sum().ShouldBeGreaterThan(20);
    }

    /// <summary>What a watch has taken over from the sources that lived so far.</summary>
    private sealed class Kept
    {
        private SourceRun? _run;
        private int _from;

        public List<UserActed> Facts { get; } = [];

        public string? Checkpoint { get; private set; }

        public int? Total { get; private set; }

        public int Count(UserAct act) => Facts.Count(f => f.Act == act);

        /// <summary>Takes some more of what a source has said.</summary>
        public void Acknowledge(SourceRun run, int batches)
        {
            _from = run == _run ? _from : 0;
            _run = run;
            foreach (var batch in run.Batches.Skip(_from).Take(batches))
            {
                Facts.AddRange(batch.Observations.OfType<UserActed>());
                Total = batch.Observations.OfType<UsersTotalled>().LastOrDefault()?.Total ?? Total;
                Checkpoint = batch.Checkpoint ?? Checkpoint;
                _from++;
            }
        }
    }

    /// <summary>Writes a day of StreamSpace, and knows what of it was committed.</summary>
    private sealed class Day(UpstreamDatabase upstream, Random chance)
    {
        private readonly List<Replica> _replicas = [];
        private readonly List<string> _users = [];
        private DateTime _now = Morning;
        private int _names;

        public Random Chance => chance;

        /// <summary>By user id.</summary>
        public Dictionary<string, int> LogIns { get; } = [];

        public int LogOuts { get; private set; }

        public int Created { get; private set; }

        public int Deleted { get; private set; }

        public int Rolled { get; private set; }

        /// <summary>Two replicas, each with some goroutines that write audit rows.</summary>
        public async Task OpenReplicasAsync()
        {
            for (var i = 0; i < 6; i++)
            {
                _replicas.Add(new Replica(await upstream.OpenAsync()));
            }
        }

        public void Forget()
        {
            LogIns.Clear();
            (LogOuts, Created, Deleted) = (0, 0, 0);
        }

        public async Task WorkAsync(int steps, Kept kept)
        {
            for (var i = 0; i < steps; i++)
            {
                _now = _now.AddMilliseconds(chance.Next(200, 3000));
                var replica = _replicas[chance.Next(_replicas.Count)];
                if (replica.Open is not null)
                {
                    await (chance.Next(8) == 0 ? RollBackAsync(replica) : CommitAsync(replica));
                    continue;
                }
                switch (chance.Next(10))
                {
                    case 0 or 1 or 2 when _users.Count > 0:
                        await BeginLogInAsync(replica, _users[chance.Next(_users.Count)]);
                        break;
                    case 3:
                        await BeginAsync(replica, "POST", "/api/v1/auth/logout", 200, () => LogOuts++);
                        break;
                    case 4:
                        await BeginAsync(replica, "POST", "/api/v1/auth/login", 401, () => { });
                        break;
                    case 5 or 6 or 7:
                        await CreateUserAsync();
                        break;
                    case 8:
                        await DeleteUserAsync(kept);
                        break;
                    default:
                        await BeginAsync(replica, "GET", "/health", 200, () => { });
                        break;
                }
            }
        }

        public async Task CommitAllAsync()
        {
            foreach (var replica in _replicas)
            {
                await CommitAsync(replica);
            }
        }

        /// <summary>What was on its way is lost, and with it the ids that it had.</summary>
        public async Task KillServerAsync()
        {
            await upstream.Server.KillAsync();
            foreach (var replica in _replicas)
            {
                await replica.Connection.DisposeAsync();
            }
            _replicas.Clear();
        }

        private async Task BeginLogInAsync(Replica replica, string user)
        {
            await upstream.SetLastLoginAsync(user, _now.AddMilliseconds(60));
            await BeginAsync(
                replica,
                "POST",
                "/api/v1/auth/login",
                200,
                () => LogIns[user] = LogIns.GetValueOrDefault(user) + 1
            );
        }

        private async Task BeginAsync(Replica replica, string method, string path, int status, Action committed)
        {
            replica.Open = await replica.Connection.BeginTransactionAsync();
            replica.Committed = committed;
            await UpstreamDatabase.AuditAsync(replica.Connection, method, path, status, _now, took: 80);
        }

        private static async Task CommitAsync(Replica replica)
        {
            if (replica.Open is { } open)
            {
                await open.CommitAsync();
                replica.Open = null;
                replica.Committed();
            }
        }

        private async Task RollBackAsync(Replica replica)
        {
            await replica.Open!.RollbackAsync();
            replica.Open = null;
            Rolled++;
        }

        private async Task CreateUserAsync()
        {
            var id = $"u{++_names}";
            await upstream.CreateUserAsync(id, $"name-{id}", _now);
            _users.Add(id);
            Created++;
        }

        // One whose creation has arrived: nobody can know of an account that came and went between two polls.
        private async Task DeleteUserAsync(Kept kept)
        {
            var known = kept.Facts.Where(f => f.Act is UserAct.Created).Select(f => f.User.Id!).Where(_users.Contains);
            if (known.FirstOrDefault() is { } user)
            {
                _users.Remove(user);
                await upstream.DeleteUserAsync(user);
                Deleted++;
            }
        }

        private sealed class Replica(NpgsqlConnection connection)
        {
            public NpgsqlConnection Connection => connection;
            public NpgsqlTransaction? Open { get; set; }
            public Action Committed { get; set; } = () => { };
        }
    }
}
