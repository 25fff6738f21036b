using Shouldly;

namespace EndToEnd.Support;

/// <summary>Compares what the sandbox holds with what really happened.</summary>
public sealed class Judge(
    SandboxClient sandbox,
    IReadOnlyList<PlayedLife> lives,
    DateTimeOffset from,
    DateTimeOffset to
)
{
    public async Task CountsAreExactAsync()
    {
        await SumsAsync("streamspace.session.created", lives);
        await SumsAsync("streamspace.session.terminated", lives.Where(l => l.Ended is not null));
        await SumsAsync("streamspace.session.failed", lives.Where(l => l.Failed is not null));
    }

    /// <summary>
    /// At each flush the number of active sessions of each user and template is one that was true at some moment about
    /// then; at the last flush, long after the last message, it is the number itself.
    /// </summary>
    public async Task ActiveIsRightAtEveryFlushAsync(TimeSpan inFlight)
    {
        var series = await sandbox.QueryAsync(
            "sum:streamspace.session.active{*} by {user,template}.rollup(max, 1)",
            from,
            to
        );
        var points = 0;
        foreach (var (key, group) in Groups(lives))
        {
            foreach (var (second, value) in series.Where(s => Key(s.Tags) == key).SelectMany(s => s.Points))
            {
                points++;
                var at = DateTimeOffset.FromUnixTimeSeconds(second);
                var moments = Moments(at, inFlight).Select(m => group.Count(l => l.ActiveAt(m) && l.Introduced <= m));
                ((double)moments.Min()).ShouldBeLessThanOrEqualTo(value, $"{key} at {at}");
                ((double)moments.Max()).ShouldBeGreaterThanOrEqualTo(value, $"{key} at {at}");
            }
            var last = series.SingleOrDefault(s => Key(s.Tags) == key)?.Points[^1].Value ?? 0;
            last.ShouldBe(group.Count(l => l.ActiveAt(to)), $"{key} at the end");
        }
        points.ShouldBeGreaterThan(20);
    }

    public async Task DurationsAreRightAtEveryFlushAsync(TimeSpan inFlight)
    {
        var series = await sandbox.QueryAsync(
            "max:streamspace.session.duration{*} by {session}.rollup(max, 1)",
            from,
            to
        );
        foreach (var life in lives)
        {
            var points = series.SingleOrDefault(s => s.Tags.Contains($"session:{life.Id}"))?.Points ?? [];
            foreach (var (second, value) in points)
            {
                var at = DateTimeOffset.FromUnixTimeSeconds(second);
                var exact = life.AwakeSeconds(at);
                value.ShouldBe(
                    exact,
                    life.TurnsNear(at, inFlight) ? inFlight.TotalSeconds : 0.001,
                    $"{life.Id} at {at}"
                );
            }
            if (life.Ended is not null)
            {
                points.Count.ShouldBeGreaterThan(0, life.Id);
                points[^1].Value.ShouldBe(life.AwakeSeconds(to), 0.001, $"final value of {life.Id}");
            }
        }
    }

    public async Task TotalsAreRightAtTheEndAsync()
    {
        var series = await sandbox.QueryAsync("max:streamspace.sessions.total{*} by {state}.rollup(max, 1)", from, to);
        double Last(string state) => series.Single(s => s.Tags.Contains($"state:{state}")).Points[^1].Value;
        Last("running").ShouldBe(lives.Count(l => l.ActiveAt(to) && l.FirstRun is not null));
        Last("hibernated").ShouldBe(lives.Count(l => l.AsleepAtTheEnd));
        Last("failed").ShouldBe(lives.Count(l => l.Failed is not null && l.Ended is null));
    }

    public async Task DistributionsAreExactAsync()
    {
        var ready = lives.Where(l => l.FirstRun is not null).ToList();
        await DistributionAsync(
            "streamspace.session.time_to_ready",
            ready,
            l => (l.FirstRun!.Value - l.Created!.Value).TotalSeconds
        );
        var ended = lives.Where(l => l.Ended is not null).ToList();
        await DistributionAsync(
            "streamspace.session.lifetime",
            ended,
            l => (l.Ended!.Value - l.Created!.Value).TotalSeconds
        );
    }

    public async Task EventsAreExactAsync()
    {
        var titles = (await sandbox.EventsAsync(from, to))
            .EnumerateArray()
            .Select(e => e.GetProperty("title").GetString())
            .ToList();
        titles.Count(t => t == "Session created").ShouldBe(lives.Count);
        titles.Count(t => t == "Session terminated").ShouldBe(lives.Count(l => l.Ended is not null));
        titles.Count(t => t == "Datadog plugin loaded").ShouldBe(1);
        titles.Count(t => t == "Datadog plugin unloaded").ShouldBe(1);
    }

    public async Task NothingWasDroppedAsync() =>
        (await sandbox.GetAsync("/sandbox/dropped")).GetProperty("total").GetInt64().ShouldBe(0);

    private async Task SumsAsync(string metric, IEnumerable<PlayedLife> counted)
    {
        var series = await sandbox.QueryAsync($"sum:{metric}{{*}} by {{user,template}}.as_count()", from, to);
        var sums = series.ToDictionary(s => Key(s.Tags), s => s.Points.Sum(p => p.Value));
        sums.ShouldBe(Groups(counted).ToDictionary(g => g.Key, g => (double)g.Value.Count), ignoreOrder: true, metric);
    }

    private async Task DistributionAsync(string metric, List<PlayedLife> measured, Func<PlayedLife, double> value)
    {
        var count = await sandbox.QueryAsync($"count:{metric}{{*}}.as_count()", from, to);
        count.SelectMany(s => s.Points).Sum(p => p.Value).ShouldBe(measured.Count, metric);
        var sum = await sandbox.QueryAsync($"sum:{metric}{{*}}.as_count()", from, to);
        sum.SelectMany(s => s.Points).Sum(p => p.Value).ShouldBe(measured.Sum(value), 0.01, metric);
    }

    private static Dictionary<string, List<PlayedLife>> Groups(IEnumerable<PlayedLife> of) =>
        of.GroupBy(l => $"template:{l.Template},user:{l.User}").ToDictionary(g => g.Key, g => g.ToList());

    private static string Key(IReadOnlyList<string> tags) => string.Join(',', tags.Order(StringComparer.Ordinal));

    private static IEnumerable<DateTimeOffset> Moments(DateTimeOffset at, TimeSpan margin)
    {
        for (var moment = at - margin; moment <= at + margin; moment += TimeSpan.FromMilliseconds(50))
        {
            yield return moment;
        }
    }
}
