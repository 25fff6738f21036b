using EndToEnd.Support;
using Shouldly;
using StreamSpace.Platform.Sources.Postgres;
using Xunit;

namespace EndToEnd;

/// <summary>
/// The day on which StreamSpace 0.2 becomes version 2 while we run, and everything that goes wrong with it, with the servers
/// and with us afterwards.
/// </summary>
public sealed class UpgradeDayTests : IAsyncLifetime
{
    private readonly PlatformClock _clock = new();
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _blind = [];
    private readonly Schedule _schedule = new();
    private StreamSpaceServers _servers = null!;
    private Installation _installation = null!;
    private SimulatedV2 _platform = null!;
    private DateTimeOffset? _blindFrom;
    private int _part;
    private int _made;

    public async ValueTask InitializeAsync()
    {
        _servers = await StreamSpaceServers.StartAsync(_clock);
        _platform = new SimulatedV2(_servers, _clock);
        foreach (var user in (string[])["ada", "bob", "eve", Marks.User])
        {
            // Only whose id is the name can make sessions.
            await _servers.Database.CreateUserAsync(user, user, _clock.GetUtcNow().UtcDateTime);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Fact]
    public async Task EveryCountAndEveryFlushIsRightOverAnUpgradeToVersionTwoAndWhateverIsKilledAfterwards()
    {
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        await using var marks = new Marks(from);
        _installation = await _servers.AttachAsync();
        marks.Watch(_installation.Sandbox);
        var quiet = new List<DateTimeOffset>();

        var (stays, ends) = (Life("ada"), Life("bob"));
        await PartAsync(
            () =>
            {
                At(0.1, at => Do(() => _platform.RunV1(at, stays)));
                At(0.2, at => Do(() => _platform.RunV1(at, ends)));
            },
            isQuiet: false
        );

        // While we run; nobody restarts us.
        var (slept, batched, byHand, deleted) = (Life("ada"), Life("bob"), Life("ada"), Life("bob"));
        await PartAsync(() =>
        {
            At(
                0,
                async _ =>
                {
                    await _platform.UpgradeAsync();
                    await _servers.Database.ExecuteAsync(PostgresGrants.ReadV2("observer"));
                }
            );
            Plan(2, Life("ada"));
            Plan(2.2, Life("bob"), then: Hibernate);
            Plan(2.3, Life("bob"), then: Terminate);
            PlanFlash(2.5, Life("ada"));
            Plan(2, slept);
            Plan(2, batched);
            Plan(2, byHand);
            Plan(2, deleted);
            Plan(2, Life("eve"));
            Plan(2, Life("eve"), then: Hibernate);
            // An agent of Docker says nothing more of it, ever.
            At(2.1, at => _platform.RequestAsync(at, Life("ada", "docker"), "docker-1"));
            At(2.2, at => FailedAsync(at, Life("bob")));
        });

        await PartAsync(
            () =>
            {
                At(0.1, at => _platform.HibernateAsync(at, slept));
                At(0.4, _ => Do(() => _platform.Scale(slept)));
                At(0.2, at => _platform.BatchHibernateAsync(at, batched));
                At(0.3, at => Do(() => _platform.StopByHand(at, byHand)));
                At(0.5, at => _platform.BatchDeleteAsync(at, deleted));
                At(0.6, at => _platform.DeleteUserAsync(at, "eve"));
                At(0.7, at => Do(() => _platform.EndV1(at, ends)));
            },
            isQuiet: false
        );

        // We crash while things happen.
        var survivor = Life("ada");
        await PartAsync(() =>
        {
            Plan(0, survivor);
            At(1, KillHostAsync);
            Plan(1.1, Life("bob"));
            PlanFlash(1.1, Life("ada"));
            Plan(1.2, Life("bob"), then: Terminate);
            At(2.6, StartHostAsync);
        });

        // PostgreSQL is away: deployments and pods alone tell what begins and ends.
        var (lost, last) = (Life("bob"), Life("bob"));
        await PartAsync(() =>
        {
            At(0.1, at => _platform.RequestAsync(at, lost));
            At(0.2, at => _platform.RequestAsync(at, last));
            At(0.3, _ => Do(() => _platform.Provide(last)));
            At(0.8, KillPostgresAsync);
            At(1, _ => Do(() => _platform.Provide(lost)));
            // What the agent reports of it is lost: its row is pending for ever.
            At(1.4, at => _platform.ReadyAsync(at, lost));
            At(1.5, at => _platform.ReadyAsync(at, last));
            At(1.8, at => Do(() => _platform.StopByHand(at, survivor)));
            At(2.2, KillHostAsync);
            At(2.2, StartHostAsync);
            At(3, StartPostgresAsync);
        });

        // Kubernetes is away, and forgets; rows alone tell.
        await PartAsync(() =>
        {
            At(0.2, StopKubernetesAsync);
            At(0.4, at => _platform.TerminateAsync(at, last));
            PlanFlash(0.5, Life("ada"));
            At(0.6, at => _platform.RequestAsync(at, Life("ada")));
            At(2, StartKubernetesExpiredAsync);
            At(2.1, _ => Do(() => _platform.Stop(last)));
        });

        (await _installation.Host.TerminateAsync()).ShouldBe(0);
        var judge = JudgeNow();
        var windows = await marks.WindowsAsync(TimeProvider.System.GetUtcNow().AddSeconds(30));
        var errors = new List<string>();
        await HoldAsync(judge.CountsAreExactAsync);
        await HoldAsync(async () =>
        {
            var exact = await judge.ActiveIsRightAtEveryFlushAsync(Window);
            quiet.ShouldBeSubsetOf(exact, "when nothing is under way there is one right number");
        });
        await HoldAsync(judge.NobodyElseIsActiveAsync);
        await HoldAsync(judge.LastActiveIsRightAsync);
        await HoldAsync(async () => (await LastAsync("max:streamspace.sessions.pending{*}")).ShouldBe(2));
        await HoldAsync(async () => (await LastAsync("max:streamspace.agents.online{*}")).ShouldBe(2));
        await HoldAsync(judge.NothingWasDroppedAsync);
        await HoldAsync(() => PayloadRules.HoldAsync(_installation.Sandbox));
        _servers.Cluster.Complaints.ShouldBeEmpty();
        errors.ShouldBeEmpty();

        async Task HoldAsync(Func<Task> rule)
        {
            try
            {
                await rule();
            }
            catch (ShouldAssertException e)
            {
                errors.Add(e.Message);
            }
        }

        Judge JudgeNow() =>
            new(_installation.Sandbox, _platform.Lives, from, TimeProvider.System.GetUtcNow().AddSeconds(30));

        async Task<double> LastAsync(string query) =>
            (
                await _installation.Sandbox.QueryAsync(
                    $"{query}.rollup(max, 1)",
                    from,
                    TimeProvider.System.GetUtcNow().AddSeconds(30)
                )
            )
                .Single()
                .Points[^1]
                .Value;

        async Task PartAsync(Action plan, bool isQuiet = true)
        {
            _part++;
            plan();
            for (var due = 2.1; due < 4; due += 0.5)
            {
                var planned = (_part * 100) + due;
                At(due, at => MarkAsync(at, planned));
            }
            await _schedule.PlayAsync(double.MaxValue);
            await HealAsync();
            if (_part > 1)
            {
                await _platform.BeatAsync();
            }
            if (isQuiet)
            {
                quiet.Add(await marks.ShownAsync(await MarkAsync(TimeProvider.System.GetUtcNow(), due: null)));
            }
        }

        // None before the upgrade, nor while the API does nothing.
        async Task<PlayedLife[]> MarkAsync(DateTimeOffset at, double? due)
        {
            if (_part == 1 || !_platform.ReachesDatabase)
            {
                return [];
            }
            PlayedLife[] made = [marks.Make("rows", at, due), marks.Make("deployments", at, due)];
            await _platform.MarkRowAsync(at, made[0]);
            await _platform.MarkDeploymentAsync(at, made[1]);
            return made;
        }

        // What the flush knows, or what was true since we could no longer see all.
        (DateTimeOffset From, DateTimeOffset To) Window(DateTimeOffset flush)
        {
            var (begin, end) = windows(flush);
            var blind = _blind.Where(b => b.From <= end && b.To >= begin).Select(b => b.From);
            return (blind.Append(begin).Min(), end);
        }
    }

    private PlayedLife Life(string user, string template = "chrome") =>
        new($"{user}-{template}-{++_made:x8}", user, template);

    private static Task Do(Action act)
    {
        act();
        return Task.CompletedTask;
    }

    private void At(double due, Func<DateTimeOffset, Task> step) => _schedule.At((_part * 100) + due, step);

    // Asked for, made, ready, and what follows soon afterwards.
    private void Plan(double due, PlayedLife life, Action<PlayedLife>? then = null) =>
        At(
            due,
            async at =>
            {
                await _platform.RequestAsync(at, life);
                _schedule.After(0.15, _ => Do(() => _platform.Provide(life)));
                _schedule.After(0.5, later => _platform.ReadyAsync(later, life));
                then?.Invoke(life);
            }
        );

    private void Hibernate(PlayedLife life)
    {
        _schedule.After(0.8, at => _platform.HibernateAsync(at, life));
        _schedule.After(0.9, _ => Do(() => _platform.Scale(life)));
    }

    private void Terminate(PlayedLife life)
    {
        _schedule.After(0.8, at => _platform.TerminateAsync(at, life));
        _schedule.After(0.9, _ => Do(() => _platform.Stop(life)));
    }

    // Over before any pod was ready; its row stays.
    private void PlanFlash(double due, PlayedLife life) =>
        At(
            due,
            async at =>
            {
                await _platform.RequestAsync(at, life);
                _schedule.After(0.3, later => _platform.TerminateAsync(later, life));
            }
        );

    private async Task FailedAsync(DateTimeOffset at, PlayedLife life)
    {
        await _platform.RequestAsync(at, life);
        _schedule.After(0.4, later => _platform.FailAsync(later, life));
    }

    private async Task KillHostAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        await _installation.KillHostAsync();
    }

    private Task StartHostAsync(DateTimeOffset _) => Do(_installation.StartHostAgain);

    private async Task KillPostgresAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        _platform.ReachesDatabase = false;
        await _servers.Postgres.KillAsync();
    }

    private async Task StartPostgresAsync(DateTimeOffset _)
    {
        await _servers.Postgres.StartAgainAsync();
        _platform.ReachesDatabase = true;
    }

    private async Task StopKubernetesAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        await _servers.Cluster.StopAsync();
    }

    private async Task StartKubernetesExpiredAsync(DateTimeOffset _)
    {
        _servers.Cluster.Expire();
        await _servers.Cluster.RestartAsync();
    }

    private async Task HealAsync()
    {
        await _installation.Host.LineAsync("sign-in?code=");
        foreach (var source in StreamSpaceServers.Sources)
        {
            await _installation.SourceIsAsync(source, "up");
        }
        if (_blindFrom is { } from)
        {
            _blind.Add((from, TimeProvider.System.GetUtcNow()));
            _blindFrom = null;
        }
    }
}
