using FsCheck.Xunit;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>
/// Random lives, and whatever can come between us and them, against one who knows. A life that begins and ends while
/// nobody looks leaves no trace; every other one is told, once.
/// </summary>
public class KubernetesOracleTests
{
    private const int Ids = 6;

    [Property(MaxTest = 4, EndSize = 1000)]
    public async Task EveryLifeThatCanBeSeenIsToldOnceAndEveryStateIsTheTrueOne(int seed)
    {
        var clock = new HurriedClock(Some.Morning);
        var cluster = await FakeCluster.StartAsync(clock);
        await using var attached = new Attached(cluster, clock);
        var day = new Day(cluster, attached, new Random(seed));
        await attached.WatchingAsync();
        for (var step = 0; step < 80; step++)
        {
            await day.StepAsync();
            if (step % 8 == 7)
            {
                await day.CompareAsync($"seed {seed}, step {step}");
            }
        }
        cluster.Complaints.ShouldBeEmpty();
        if (!day.Forgot)
        {
            attached.Facts.Select(e => e.Id).OfType<string>().ShouldBeUnique($"seed {seed}");
        }
    }

    private sealed class Day(FakeCluster cluster, Attached attached, Random chance)
    {
        private readonly Dictionary<string, SessionState> _states = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _users = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _created = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _ended = new(StringComparer.Ordinal);

        // Lives that were begun in the gap under way, or null while we look.
        private HashSet<string>? _unseen;

        // Lives that a store without memory will not miss.
        private bool _forgetful;

        // Creation times have whole seconds: who forgot the first of two lives of one second gives both the same id.
        public bool Forgot { get; private set; }

        public async Task StepAsync()
        {
            switch (chance.Next(23))
            {
                case 0:
                    cluster.CutWatches();
                    break;
                case 1:
                    cluster.EndWatches();
                    break;
                case 2:
                    cluster.Bookmark();
                    break;
                case 3:
                    cluster.Drip = chance.Next(2) * 50;
                    break;
                case 4:
                    cluster.PageSize = chance.Next(1, 5);
                    break;
                case 5:
                    await AwayAsync();
                    break;
                case 6:
                    await RestartedAsync(loseStore: chance.Next(3) == 0);
                    break;
                case 7:
                    await RefusedAsync();
                    break;
                case 8:
                    await cluster.RotateTokenAsync();
                    cluster.CutWatches();
                    break;
                case 9:
                    cluster.Forbid("metrics");
                    break;
                default:
                    await LiveAsync();
                    break;
            }
        }

        public async Task CompareAsync(string when)
        {
            await attached.SettledAsync();
            foreach (var (id, state) in _states)
            {
                if (state is SessionState.Ended && attached.State(id) is null)
                {
                    continue;
                }
                attached.State(id).ShouldBe(state, $"{id}, {when}: {attached.Told(id)}");
            }
            attached.Active.ShouldBe(
                _states.Values.Count(s => s is SessionState.Running or SessionState.Starting),
                when
            );
            Counted<SessionCreated>().ShouldBe(_created, ignoreOrder: true, when);
            Counted<SessionEnded>().ShouldBe(_ended, ignoreOrder: true, when);
        }

        private Dictionary<string, int> Counted<T>()
            where T : SessionFact =>
            attached.Facts.OfType<T>().GroupBy(e => e.Session.Id).ToDictionary(g => g.Key, g => g.Count());

        // The cluster goes away, things happen, and it no longer knows the versions from before.
        private async Task AwayAsync()
        {
            await attached.SettledAsync();
            await cluster.StopAsync();
            await GapAsync();
            cluster.Expire();
            await cluster.RestartAsync();
            await attached.SettledAsync();
        }

        // The right to the sessions is taken away and given back, and what happens meanwhile is seen afterwards.
        private async Task RefusedAsync()
        {
            await attached.SettledAsync();
            cluster.Forbid("sessions");
            cluster.CutWatches();
            await attached.UntilAsync(() => cluster.OpenWatches("sessions") == 0, "the watch is refused");
            await GapAsync();
            cluster.Expire();
            cluster.Allow("sessions");
            await attached.SettledAsync();
        }

        private async Task RestartedAsync(bool loseStore)
        {
            await attached.SettledAsync();
            await attached.StopAsync(loseStore);
            _forgetful = loseStore;
            Forgot |= loseStore;
            await GapAsync();
            _forgetful = false;
            await attached.WatchingAsync();
            await attached.SettledAsync();
        }

        private async Task GapAsync()
        {
            _unseen = new HashSet<string>(StringComparer.Ordinal);
            for (var n = chance.Next(8); n > 0; n--)
            {
                await LiveAsync();
            }
            foreach (var id in _unseen.Where(_ => !_forgetful))
            {
                Count(_created, id);
            }
            _unseen = null;
        }

        private async Task LiveAsync()
        {
            var id = $"s{chance.Next(Ids)}";
            var state = _states.GetValueOrDefault(id, SessionState.Ended);
            switch (state, chance.Next(6))
            {
                case (SessionState.Ended, _):
                    cluster.CreateSession(id, NewUser(id));
                    _states[id] = SessionState.Starting;
                    if (_unseen?.Add(id) is null)
                    {
                        Count(_created, id);
                    }
                    break;
                case (_, 0):
                    Delete(id);
                    break;
                case (SessionState.Starting, < 4):
                    cluster.CreatePod($"p-{id}", id, _users[id]);
                    cluster.Ready($"p-{id}");
                    cluster.Phase(id, "Running");
                    _states[id] = SessionState.Running;
                    break;
                case (SessionState.Starting or SessionState.Running, 4):
                    cluster.Phase(id, "Failed", "broken");
                    _states[id] = SessionState.Failed;
                    break;
                case (SessionState.Running, < 3):
                    cluster.Want(id, "hibernated");
                    cluster.DeletePod($"p-{id}");
                    _states[id] = SessionState.Hibernated;
                    await LookedAsync();
                    break;
                // Nobody can see that a session slept and woke in a gap.
                case (SessionState.Hibernated, < 4) when _unseen is null:
                    cluster.Want(id, "running");
                    _states[id] = SessionState.Starting;
                    await LookedAsync();
                    break;
                case (not SessionState.Ending, 5):
                    cluster.BeginDelete(id);
                    _states[id] = SessionState.Ending;
                    break;
                default:
                    cluster.Touch(id);
                    break;
            }
        }

        // Each life has another user, or the pod of one life could be taken for that of the next until it is seen to go.
        private string NewUser(string id) => _users[id] = $"user-{_users.Count}-{chance.Next(int.MaxValue)}";

        // Pods and sessions come by two watches, whose order among each other nobody promises.
        private Task LookedAsync() => _unseen is null ? attached.SettledAsync() : Task.CompletedTask;

        private void Delete(string id)
        {
            cluster.DeletePod($"p-{id}");
            cluster.DeleteSession(id);
            _states[id] = SessionState.Ended;
            if (_unseen?.Remove(id) is not true && !_forgetful)
            {
                Count(_ended, id);
            }
        }

        private static void Count(Dictionary<string, int> counts, string id) =>
            counts[id] = counts.GetValueOrDefault(id) + 1;
    }
}
