using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Shouldly;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Sessions;

/// <summary>
/// Random platforms whose messages come twice, late and out of order, against an oracle that knows the lives and
/// has never seen a message.
/// </summary>
public class SessionRegistryProperties
{
    private const double MostLate = 8;

    [Property(MaxTest = 500)]
    public bool WhatIsToldIsWhatHappened(DoNotSize<int> seed)
    {
        var chance = new Random(seed.Item);
        var lives = Lives(chance).ToList();
        var told = new Telling();
        var seen = Deliveries(lives, chance).OrderBy(d => d.Arrives).ToList();
        foreach (var (arrives, observation) in seen)
        {
            told.Tick(arrives).See(observation);
        }
        told.Tick(seen[^1].Arrives + SessionExpiry.HeldEndTimeout.TotalSeconds);

        var by = (SessionFact e) => (e.Session.User.Name!, e.Session.Template!);
        Tally(told.Facts.OfType<SessionCreated>().Select(by)).ShouldBe(Tally(lives.Select(l => (l.User, l.Template))));
        Tally(told.Facts.OfType<SessionEnded>().Select(by))
            .ShouldBe(Tally(lives.Where(l => l.End is not null).Select(l => (l.User, l.Template))));
        Tally(told.Registry.Snapshot.Sessions.Where(s => s.Active).Select(s => (s.User.Name!, s.Template!)))
            .ShouldBe(Tally(lives.Where(l => l is { End: null, Asleep: false }).Select(l => (l.User, l.Template))));
        told.Facts.Select(e => e.Id).ShouldBeUnique();
        told.Facts.OfType<SessionStarted>().Select(e => e.Session.LifeId).ShouldBeUnique();
        ShouldTellAllThatPassed(told);
        return true;
    }

    [Property(MaxTest = 100)]
    public bool InOrderEverythingIsExactToTheTick(DoNotSize<int> seed)
    {
        var chance = new Random(seed.Item);
        var lives = Lives(chance).ToList();
        var told = new Telling();
        foreach (var observation in lives.SelectMany(l => l.Truth).OrderBy(o => o.At))
        {
            told.Tick((observation.At - Some.Morning).TotalSeconds).See(observation);
        }

        var at = Some.At(100_000);
        var running = told
            .Sessions.GroupBy(s => s.LifeId)
            .Select(g => Math.Round(g.Last().RunningTime(at).TotalSeconds, 3));
        running.Order().ShouldBe(lives.Select(l => Math.Round(l.RunningSeconds(100_000), 3)).Order());
        told.Facts.OfType<SessionHibernated>().Count().ShouldBe(lives.Sum(l => (l.Turns.Count + 1) / 2));
        told.Facts.OfType<SessionWoken>().Count().ShouldBe(lives.Sum(l => l.Turns.Count / 2));
        ShouldTellAllThatPassed(told);
        return true;
    }

    // Of each life that is over: one stretch after the other from its creation to its end, and its running time is theirs.
    private static void ShouldTellAllThatPassed(Telling told)
    {
        foreach (var facts in told.Facts.OfType<SessionFact>().GroupBy(fact => fact.Session.LifeId))
        {
            if (
                facts.OfType<SessionEnded>().SingleOrDefault() is not { } ended
                || !facts.OfType<SessionCreated>().Any()
            )
            {
                continue;
            }
            var created = facts.OfType<SessionCreated>().Single();
            var passed = facts.SelectMany(fact => fact.Passed).OrderBy(stretch => stretch.From).ToList();
            var why = string.Join(
                '\n',
                facts.Select(f => $"{f.GetType().Name} {f.At:O} {string.Join(", ", f.Passed)}")
            );
            passed[0].From.ShouldBe(created.At, why);
            passed[^1].To.ShouldBe(ended.At, why);
            passed.Zip(passed.Skip(1)).ShouldAllBe(pair => pair.First.To == pair.Second.From, why);
            var awake = passed.Where(s => s.State is SessionState.Starting or SessionState.Running);
            awake
                .Sum(s => (s.To - s.From).TotalSeconds)
                .ShouldBe(ended.Session.RunningTime(ended.At).TotalSeconds, 0.001, why);
        }
    }

    private static Dictionary<(string, string), int> Tally(IEnumerable<(string, string)> items) =>
        items.GroupBy(i => i).OrderBy(g => g.Key).ToDictionary(g => g.Key, g => g.Count());

    private static IEnumerable<TrueLife> Lives(Random chance)
    {
        for (var id = chance.Next(1, 12); id > 0; id--)
        {
            var from = 100 * chance.NextDouble();
            // A session id may be used again, but not within the time that messages are late; all is over before a request would lapse.
            for (var again = chance.Next(1, 4); again > 0; again--)
            {
                var life = TrueLife.Make($"s{id}", from, ends: again > 1 || chance.Next(2) == 0, chance);
                yield return life;
                from = (life.End ?? from) + (2 * MostLate) + (50 * chance.NextDouble());
            }
        }
    }

    // Every message once at least, some again with the same id, statuses and deletions again with a new one.
    private static IEnumerable<(double Arrives, Observation Seen)> Deliveries(List<TrueLife> lives, Random chance)
    {
        var ids = 0;
        var known = new HashSet<string>();
        foreach (var truth in lives.SelectMany(l => l.Truth))
        {
            // Nothing overtakes the creation of a further life of the same id: until it comes, what is said can only
            // be of the former one. Upstream never uses an id again.
            var maybeLate = truth is not CreateRequested || known.Add(truth.SessionId);
            var sent = (truth.At - Some.Morning).TotalSeconds;
            var message = truth with { MessageId = $"m{ids++}" };
            yield return (maybeLate ? sent + Late() : sent, message);
            for (var copies = chance.Next(3); copies > 0; copies--)
            {
                yield return (sent + Late(), message);
            }
            if (truth is not CreateRequested && chance.Next(3) == 0)
            {
                yield return (sent + Late(), truth with { MessageId = $"m{ids++}" });
            }
        }

        double Late() => MostLate * chance.NextDouble();
    }

    private sealed record TrueLife(string Id, string User, string Template, double Begin, double? End)
    {
        /// <summary>When it ran first, or null when nothing ever confirmed it.</summary>
        public double? Ready { get; private init; }

        /// <summary>When it fell asleep and woke, in turn.</summary>
        public IReadOnlyList<double> Turns { get; private init; } = [];

        public bool Asleep => Turns.Count % 2 == 1;

        public IEnumerable<SessionObservation> Truth
        {
            get
            {
                yield return Some.Create(Id, Begin, User, Template);
                if (Ready is { } ready)
                {
                    yield return Some.Running(Id, ready);
                }
                foreach (var (i, turn) in Turns.Index())
                {
                    yield return i % 2 == 0
                        ? Some.Hibernate(Id, turn - 0.001, User)
                        : Some.Wake(Id, turn - 0.001, User);
                    yield return i % 2 == 0 ? Some.Hibernated(Id, turn) : Some.Running(Id, turn);
                }
                if (End is { } end)
                {
                    yield return Some.Delete(Id, end, User);
                }
            }
        }

        public static TrueLife Make(string id, double begin, bool ends, Random chance)
        {
            var user = $"user{chance.Next(3)}";
            var template = $"template{chance.Next(3)}";
            double? ready = chance.Next(10) == 0 ? null : begin + 1 + (10 * chance.NextDouble());
            var turns = new List<double>();
            var last = ready ?? begin;
            for (var turn = ready is null ? 0 : chance.Next(5); turn > 0; turn--)
            {
                last += 1 + (20 * chance.NextDouble());
                turns.Add(last);
            }
            double? end = ends ? last + 1 + (20 * chance.NextDouble()) : null;
            return new TrueLife(id, user, template, Whole(begin), end is { } e ? Whole(e) : null)
            {
                Ready = ready is { } r ? Whole(r) : null,
                Turns = [.. turns.Select(Whole)],
            };

            // On whole milliseconds, so that sums are exact.
            static double Whole(double second) => Math.Round(second, 3);
        }

        public double RunningSeconds(double now)
        {
            List<double> edges = [Begin, .. Turns, .. End is { } end ? [end] : Array.Empty<double>()];
            var total = 0.0;
            for (var i = 0; i < edges.Count; i += 2)
            {
                total += (i + 1 < edges.Count ? edges[i + 1] : End ?? now) - edges[i];
            }
            return total;
        }
    }
}
