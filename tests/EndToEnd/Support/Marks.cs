namespace EndToEnd.Support;

/// <summary>
/// Sessions that are there for the order alone: each source tells what happens in its order, so a flush that shows a mark as
/// active knows all that was done on the mark's way before it, and one that was in the sandbox before something was done knows
/// nothing of it. So what a flush may show is bounded by what it shows, however slow the machine is.
/// </summary>
/// <param name="from">Before the first flush.</param>
public sealed class Marks(DateTimeOffset from) : IAsyncDisposable
{
    /// <summary>Whose sessions marks are.</summary>
    public const string User = "mark";

    // What is done in several steps, such as a request and what is made of it, takes less of a schedule's time.
    private const double LongestAct = 1;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);

    private readonly Lock _lock = new();
    private readonly List<Mark> _marks = [];
    private readonly Dictionary<long, DateTimeOffset> _seen = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;
    private SandboxClient? _sandbox;

    private SandboxClient Sandbox => _sandbox ?? throw new InvalidOperationException("Nothing is watched yet.");

    /// <summary>Begins to note by when each flush was in the sandbox.</summary>
    public void Watch(SandboxClient sandbox)
    {
        _sandbox = sandbox;
        _watching = WatchAsync();
    }

    /// <summary>The next mark of a way, to be made at this moment.</summary>
    /// <param name="way">Which way it goes: what is told on one way says nothing of another.</param>
    /// <param name="at">Now.</param>
    /// <param name="due">When it falls due by the schedule; null when nothing at all is under way.</param>
    public PlayedLife Make(string way, DateTimeOffset at, double? due)
    {
        var life = new PlayedLife($"{way}-{_marks.Count}", User, $"{way}-{_marks.Count}");
        _marks.Add(new Mark(life, way, at, due));
        return life;
    }

    /// <summary>Waits for the first flush that shows these marks, and returns it.</summary>
    public async Task<DateTimeOffset> ShownAsync(params PlayedLife[] marks)
    {
        var flush = await Eventually.GetAsync(
            $"a flush that knows {string.Join(", ", marks.Select(m => m.Id))}",
            async () =>
            {
                var shown = await ShownSecondsAsync(TimeProvider.System.GetUtcNow().AddMinutes(1));
                var all = marks.Select(m => shown.GetValueOrDefault(m.Template) ?? []).ToList();
                var first = all[0]
                    .Where(second => all.TrueForAll(one => one.Contains(second)))
                    .Order()
                    .FirstOrDefault();
                return first == 0 ? null : (object)first;
            }
        );
        Saw([(long)flush]);
        return DateTimeOffset.FromUnixTimeSeconds((long)flush);
    }

    /// <summary>Of each flush up to <paramref name="to"/>: from when to when it was true at some moment what it shows.</summary>
    public async Task<Func<DateTimeOffset, (DateTimeOffset From, DateTimeOffset To)>> WindowsAsync(DateTimeOffset to)
    {
        var shown = await ShownSecondsAsync(to);
        var ways = _marks.GroupBy(m => m.Way).Select(w => w.ToList()).ToList();
        return flush =>
        {
            var second = flush.ToUnixTimeSeconds();
            var begin = ways.Min(way =>
                KnownUpTo(way, mark => shown.GetValueOrDefault(mark)?.Contains(second) is true)
            );
            return (begin, _seen.GetValueOrDefault(second, to));
        };
    }

    /// <summary>How long after a moment it was known at the latest, up to <paramref name="to"/>.</summary>
    public async Task<Func<DateTimeOffset, TimeSpan>> LagsAsync(
        IReadOnlyList<DateTimeOffset> flushes,
        DateTimeOffset to
    )
    {
        var windows = await WindowsAsync(to);
        return moment =>
            flushes.Select(windows).Where(w => w.From >= moment).Select(w => w.To).Append(to).Min() - moment;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private DateTimeOffset KnownUpTo(List<Mark> way, Func<string, bool> isShown)
    {
        var last = way.FindLast(m => isShown(m.Life.Template));
        var known = last?.Due is { } due
            ? way.FindLast(m => m.At < last.At && (m.Due is null || m.Due <= due - LongestAct))
            : last;
        return known?.At ?? from;
    }

    private async Task<Dictionary<string, HashSet<long>>> ShownSecondsAsync(DateTimeOffset to) =>
        (
            await Sandbox.QueryAsync(
                $"max:streamspace.session.active{{user:{User}}} by {{template}}.rollup(max, 1)",
                from,
                to
            )
        ).ToDictionary(
            s => s.Tags.Single(t => t.StartsWith("template:", StringComparison.Ordinal))[9..],
            s => s.Points.Where(p => p.Value > 0).Select(p => p.Second).ToHashSet()
        );

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var total = await Sandbox.QueryAsync(
                "max:streamspace.sessions.total{*}.rollup(max, 1)",
                from,
                TimeProvider.System.GetUtcNow().AddMinutes(1)
            );
            Saw(total.SelectMany(s => s.Points).Select(p => p.Second));
            await Task.Delay(LookEvery, TimeProvider.System, _stop.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Saw(IEnumerable<long> seconds)
    {
        var now = TimeProvider.System.GetUtcNow();
        lock (_lock)
        {
            foreach (var second in seconds)
            {
                _seen.TryAdd(second, now);
            }
        }
    }

    private sealed record Mark(PlayedLife Life, string Way, DateTimeOffset At, double? Due);
}
