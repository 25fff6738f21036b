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
    // What the query language gives for a tag that is not there.
    private const string Nobody = "N/A";

    public async Task CountsAreExactAsync()
    {
        await SumsAsync("streamspace.session.created", lives);
        await SumsAsync("streamspace.session.terminated", lives.Where(l => l.Ended is not null));
        await SumsAsync("streamspace.session.failed", lives.Where(l => l.Failed is not null));
    }

    /// <summary>
    /// At each flush the number of active sessions of each user and template counts each of them as it stood at some moment
    /// of the time that <paramref name="window"/> allows for: of two sessions, one may be known later than the other.
    /// </summary>
    /// <returns>The flushes of which every number could only be the one that it was.</returns>
    public async Task<IReadOnlyList<DateTimeOffset>> ActiveIsRightAtEveryFlushAsync(
        Func<DateTimeOffset, (DateTimeOffset From, DateTimeOffset To)> window
    )
    {
        var series = await sandbox.QueryAsync(
            "sum:streamspace.session.active{*} by {user,template}.rollup(max, 1)",
            from,
            to
        );
        var groups = Groups(lives);
        var exact = new List<DateTimeOffset>();
        var flushes = await FlushesAsync();
        flushes.Count.ShouldBeGreaterThan(1);
        foreach (var flush in flushes)
        {
            var isExact = true;
            foreach (var (key, group) in groups)
            {
                var point = series.SingleOrDefault(s => Key(s.Tags) == key)?.Points ?? [];
                var value = point.SingleOrDefault(p => p.Second == flush.ToUnixTimeSeconds()).Value;
                var moments = Moments(window(flush), group);
                var least = group.Count(l => moments.TrueForAll(m => IsCounted(l, m)));
                var most = group.Count(l => moments.Exists(m => IsCounted(l, m)));
                value.ShouldBeInRange(least, most, Told(key, group, flush, window(flush)));
                isExact &= least == most;
            }
            if (isExact)
            {
                exact.Add(flush);
            }
        }
        return exact;
    }

    /// <summary>No session is counted as active that nobody has, not even for a moment.</summary>
    public async Task NobodyElseIsActiveAsync() =>
        (await sandbox.QueryAsync("sum:streamspace.session.active{*} by {user,template}.rollup(max, 1)", from, to))
            .Select(s => Key(s.Tags))
            .ShouldBeSubsetOf(Groups(lives).Keys);

    /// <summary>A group that fell to none has said so: the last point of each is right.</summary>
    public async Task LastActiveIsRightAsync()
    {
        var series = await sandbox.QueryAsync(
            "sum:streamspace.session.active{*} by {user,template}.rollup(max, 1)",
            from,
            to
        );
        foreach (var (key, group) in Groups(lives))
        {
            var last = series.SingleOrDefault(s => Key(s.Tags) == key)?.Points[^1].Value ?? 0;
            last.ShouldBe(group.Count(l => l.ActiveAt(to)), $"{key} at the end");
        }
    }

    /// <summary>The second of each flush: there is a total of sessions in every one.</summary>
    public async Task<IReadOnlyList<DateTimeOffset>> FlushesAsync() =>
        [
            .. (await sandbox.QueryAsync("max:streamspace.sessions.total{*}.rollup(max, 1)", from, to))
                .SelectMany(s => s.Points)
                .Select(p => DateTimeOffset.FromUnixTimeSeconds(p.Second)),
        ];

    /// <summary>Running times at each flush, as far as was known then; and the final ones.</summary>
    public async Task DurationsAreRightAtEveryFlushAsync(
        Func<DateTimeOffset, (DateTimeOffset From, DateTimeOffset To)> window
    )
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
                var (from, to) = window(at);
                value.ShouldBe(
                    life.AwakeSeconds(at),
                    life.TurnsIn(from, to).Any() ? (to - from).TotalSeconds : 0.001,
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

    /// <summary>The final duration of each life that ended, as near as <paramref name="doubt"/> (seconds) says.</summary>
    public async Task FinalDurationsAreRightAsync(Func<PlayedLife, double> doubt)
    {
        var series = await sandbox.QueryAsync(
            "max:streamspace.session.duration{*} by {session}.rollup(max, 1)",
            from,
            to
        );
        foreach (var life in lives.Where(l => l.Ended is not null && lives.Count(o => o.Id == l.Id) == 1))
        {
            var points = series.SingleOrDefault(s => s.Tags.Contains($"session:{life.Id}"))?.Points ?? [];
            points.Count.ShouldBeGreaterThan(0, life.Id);
            points[^1].Value.ShouldBe(life.AwakeSeconds(to), doubt(life), $"final value of {life.Id}");
        }
    }

    /// <summary>Users made, log-ins and log-outs, by name; a log-out's name is a guess.</summary>
    public async Task UsersAreExactAsync(UserBook users)
    {
        (await ByUserAsync("streamspace.user.created")).ShouldBe(users.Created, ignoreOrder: true, "created");
        (await ByUserAsync("streamspace.user.login")).ShouldBe(users.LoggedIn, ignoreOrder: true, "logged in");
        var loggedOut = await ByUserAsync("streamspace.user.logout");
        loggedOut.Values.Sum().ShouldBe(users.LoggedOut.Values.Sum(), "logged out");
        loggedOut.GetValueOrDefault(Nobody).ShouldBeLessThanOrEqualTo(users.Nameless, "log-outs of nobody");
        loggedOut.Where(u => u.Key != Nobody).ShouldAllBe(u => u.Value <= users.LoggedOut.GetValueOrDefault(u.Key));
        var total = await sandbox.QueryAsync("max:streamspace.users.total{*}.rollup(max, 1)", from, to);
        total.Single().Points[^1].Value.ShouldBe(users.Users.Count);
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
        titles.Count(t => t == "Session Created").ShouldBe(lives.Count);
        titles.Count(t => t == "Session Terminated").ShouldBe(lives.Count(l => l.Ended is not null));
        titles.Count(t => t == "Plugin Loaded").ShouldBe(1);
        titles.Count(t => t == "Plugin Unloaded").ShouldBe(1);
    }

    public async Task NothingWasDroppedAsync() =>
        (await sandbox.GetAsync("/sandbox/dropped")).GetProperty("total").GetInt64().ShouldBe(0);

    private async Task SumsAsync(string metric, IEnumerable<PlayedLife> counted)
    {
        var series = await sandbox.QueryAsync($"sum:{metric}{{*}} by {{user,template}}.as_count()", from, to);
        var sums = series.ToDictionary(s => Key(s.Tags), s => s.Points.Sum(p => p.Value));
        sums.ShouldBe(Groups(counted).ToDictionary(g => g.Key, g => (double)g.Value.Count), ignoreOrder: true, metric);
    }

    private async Task<Dictionary<string, int>> ByUserAsync(string metric) =>
        (await sandbox.QueryAsync($"sum:{metric}{{*}} by {{user}}.as_count()", from, to)).ToDictionary(
            s =>
                s.Tags.Where(t => t.StartsWith("user:", StringComparison.Ordinal))
                    .Select(t => t[5..])
                    .SingleOrDefault(Nobody),
            s => (int)s.Points.Sum(p => p.Value)
        );

    private async Task DistributionAsync(string metric, List<PlayedLife> measured, Func<PlayedLife, double> value)
    {
        var count = await sandbox.QueryAsync($"count:{metric}{{*}}.as_count()", from, to);
        count.SelectMany(s => s.Points).Sum(p => p.Value).ShouldBe(measured.Count, metric);
        var sum = await sandbox.QueryAsync($"sum:{metric}{{*}}.as_count()", from, to);
        sum.SelectMany(s => s.Points).Sum(p => p.Value).ShouldBe(measured.Sum(value), 0.01, metric);
    }

    private static Dictionary<string, List<PlayedLife>> Groups(IEnumerable<PlayedLife> of) =>
        of.GroupBy(l => $"template:{l.Template},user:{l.User}").ToDictionary(g => g.Key, g => g.ToList());

    private static bool IsCounted(PlayedLife life, DateTimeOffset at) => life.ActiveAt(at) && life.Introduced <= at;

    // Who was awake (+) and asleep or gone (-) from when on, beside what was sent.
    private static string Told(
        string key,
        IEnumerable<PlayedLife> group,
        DateTimeOffset flush,
        (DateTimeOffset From, DateTimeOffset To) window
    ) =>
        $"{key} at {flush:HH:mm:ss}, of {window.From:HH:mm:ss.fff} to {window.To:HH:mm:ss.fff}:\n"
        + string.Join('\n', group);

    private static string Key(IReadOnlyList<string> tags) => string.Join(',', tags.Order(StringComparer.Ordinal));

    // Between two of them nothing changes.
    private static List<DateTimeOffset> Moments(
        (DateTimeOffset From, DateTimeOffset To) window,
        IEnumerable<PlayedLife> group
    ) => [window.From, .. group.SelectMany(l => l.TurnsIn(window.From, window.To))];
}
