namespace EndToEnd.Support;

/// <summary>
/// A day of StreamSpace in parts of some seconds. In each part users and sessions come, change and go, all of it decided
/// by the seed, while whoever runs the test disturbs; between the parts it is quiet.
/// </summary>
public sealed class LongDay : IAsyncDisposable
{
    private const int FirstUsers = 9;
    private static readonly string[] Templates = ["chrome", "vscode", "gimp"];

    private readonly Random _chance;
    private readonly Marks _marks;
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _blind = [];
    private readonly List<(DateTimeOffset At, TimeSpan By)> _steps = [];
    private int _part;
    private int _names;
    private int _made;

    public LongDay(StreamSpaceServers servers, PlatformClock clock, int seed, Marks marks)
    {
        _marks = marks;
        _chance = new Random(seed);
        Platform = new SimulatedStreamSpace(servers, clock, _chance);
        Users = new UserBook(servers.Database, clock);
    }

    public SimulatedStreamSpace Platform { get; }

    public UserBook Users { get; }

    /// <summary>What is played in the present part, disturbances among it.</summary>
    public Schedule Schedule { get; } = new();

    /// <summary>The lives of which someone attached must know.</summary>
    public IReadOnlyList<PlayedLife> Known => [.. Platform.Lives.Where(l => l.Known).Select(l => l.Life)];

    /// <summary>Lives that left no trace for anyone who was not there.</summary>
    public int Untraceable => Platform.Lives.Count(l => !l.Known);

    /// <summary>Times in which whoever is attached may not have seen all, up to when it must have caught up.</summary>
    public IReadOnlyList<(DateTimeOffset From, DateTimeOffset To)> Blind => _blind;

    /// <summary>When the platform's clocks were set, and by how much at most.</summary>
    public IReadOnlyList<(DateTimeOffset At, TimeSpan By)> Steps => _steps;

    /// <summary>Users that were there before anyone was attached, and the streams.</summary>
    public async Task BeginAsync()
    {
        for (var i = 0; i < FirstUsers; i++)
        {
            await Users.CreateAsync(counted: false);
        }
        await Platform.StartReplicaAsync();
    }

    /// <summary>Plans what happens in the next part.</summary>
    /// <param name="calm">True when whoever is attached sees all of it.</param>
    public void PlanPart(bool calm)
    {
        _part++;
        for (var i = 0; i < 6; i++)
        {
            var origin = (Origin)(i % 3);
            At(0.3 + (_chance.NextDouble() * 2.9), at => LiveAsync(at, New(origin)));
        }
        for (var i = 0; i < 3; i++)
        {
            At(_chance.NextDouble() * 3, EndOneAsync);
            At(_chance.NextDouble() * 3, at => ChangeOneAsync(at, l => !l.Asleep, Platform.SleepAsync));
            At(_chance.NextDouble() * 3, at => ChangeOneAsync(at, l => l.Asleep, WakeAsync));
        }
        At(_chance.NextDouble() * 3, at => ChangeOneAsync(at, l => !l.Asleep, Break));
        At(1 + (_chance.NextDouble() * 2), _ => ReuseNameAsync(calm));
        PlanUsers(calm);
        for (var due = 0.1; due < 4; due += 0.5)
        {
            var planned = (_part * 100) + due;
            At(due, at => MarkAsync(at, planned));
        }
    }

    /// <summary>Does something in Kubernetes, which alone tells what is active, after all that was done so far.</summary>
    public async Task<PlayedLife> MarkAsync(DateTimeOffset at, double? due = null)
    {
        // Nobody ever chooses it.
        var mark = new DayLife(_marks.Make("kubernetes", at, due), Origin.Kubectl, Marks.User) { Part = int.MaxValue };
        await Platform.BeginAsync(at, mark);
        return mark.Life;
    }

    /// <summary>A session that the controller cannot make; nothing but NATS knows of it.</summary>
    public void PlanRefusal(double due) =>
        At(
            due,
            async at =>
            {
                var life = await Platform.BeginAsync(at, New(Origin.Api));
                Schedule.After(0.3, later => Platform.RefuseAsync(later, life));
            }
        );

    /// <summary>A session that is there for a moment only.</summary>
    public void PlanFlash(double due, Origin origin) =>
        At(
            due,
            async at =>
            {
                var life = await Platform.BeginAsync(at, New(origin));
                await Platform.ProvideAsync(life);
                await Platform.ReadyAsync(at, life);
                Schedule.After(0.2, later => Platform.EndAsync(later, life, mayHold: false));
            }
        );

    /// <summary>Adds a step at a second of this part.</summary>
    public void At(double due, Func<DateTimeOffset, Task> step) => Schedule.At((_part * 100) + due, step);

    public Task PlayAsync() => Schedule.PlayAsync(double.MaxValue);

    /// <summary>Says when whoever is attached was blind.</summary>
    public void WasBlind(DateTimeOffset from, DateTimeOffset to) => _blind.Add((from, to));

    /// <summary>Says that the platform's clocks were set.</summary>
    public void WasSet(DateTimeOffset at, TimeSpan by) => _steps.Add((at, by));

    public ValueTask DisposeAsync() => Platform.DisposeAsync();

    private DayLife New(Origin origin, string? id = null)
    {
        var (userId, name) = Users.Users[1 + _chance.Next(FirstUsers)];
        var template = Templates[_chance.Next(Templates.Length)];
        var life = new PlayedLife(id ?? $"{name}-{template}-{_chance.Next():x8}", name, template);
        return new DayLife(life, origin, origin is Origin.Template ? userId : name) { Part = _part };
    }

    private async Task LiveAsync(DateTimeOffset at, DayLife life)
    {
        // The controller hears of what the API wants by NATS alone.
        var begun =
            life.Origin is Origin.Api && !Platform.Connected
                ? new DayLife(life.Life, Origin.Kubectl, life.UserWord) { Part = _part }
                : life;
        await Platform.BeginAsync(at, begun);
        Schedule.After(0.15, _ => Platform.ProvideAsync(begun));
        Schedule.After(0.5, later => Platform.ReadyAsync(later, begun));
    }

    private async Task WakeAsync(DateTimeOffset at, DayLife life)
    {
        await Platform.WakeAsync(at, life);
        Schedule.After(0.4, later => Platform.ReadyAsync(later, life));
    }

    private Task Break(DateTimeOffset at, DayLife life)
    {
        Platform.Break(at, life);
        return Task.CompletedTask;
    }

    private async Task ChangeOneAsync(
        DateTimeOffset at,
        Func<DayLife, bool> which,
        Func<DateTimeOffset, DayLife, Task> change
    )
    {
        if (Pick(l => l.Life.Failed is null && which(l)) is { } life)
        {
            await change(at, life);
        }
    }

    private async Task EndOneAsync(DateTimeOffset at)
    {
        if (Pick(_ => true) is { } life && await Platform.EndAsync(at, life))
        {
            Schedule.After(
                0.4,
                later =>
                {
                    Platform.Remove(later, life);
                    return Task.CompletedTask;
                }
            );
        }
    }

    // Only one that stood still for a whole part: nothing about it is under way, or unknown.
    private DayLife? Pick(Func<DayLife, bool> which)
    {
        var able = Platform.Lives.Where(l => l.There && l.Part < _part && which(l)).ToList();
        if (able.Count == 0)
        {
            return null;
        }
        var life = able[_chance.Next(able.Count)];
        life.Part = _part;
        return life;
    }

    // By hand one can delete a session and make another of the same name at once.
    private async Task ReuseNameAsync(bool calm)
    {
        var now = TimeProvider.System.GetUtcNow();
        if (!calm && Pick(l => l.Origin is Origin.Kubectl) is { } former)
        {
            Platform.Remove(now, former);
            await LiveAsync(now, New(Origin.Kubectl, former.Life.Id));
            return;
        }
        await LiveAsync(now, New(Origin.Kubectl, $"standing-{++_names}"));
    }

    private async Task LogInAsync((string Id, string Name) user, bool isSlow)
    {
        if (!isSlow)
        {
            await Users.LogInAsync(user);
            return;
        }
        var commit = await Users.LogInSlowlyAsync(user);
        Schedule.After(1.5, _ => commit());
    }

    private void PlanUsers(bool calm)
    {
        At(0.4, _ => Users.CreateAsync());
        At(2.4, _ => Users.CreateAsync());
        // Who came and went between two looks has left no trace: none goes in the part in which it came, or logged in.
        var (settled, part) = (_made, _part);
        _made = Users.Made;
        At(1.4, _ => Users.DeleteOneAsync(n => n > FirstUsers && n <= settled && n % 3 == (part + 1) % 3));
        // Each at most every third part, so that no log-in hides an earlier one that nobody has looked at.
        foreach (var user in Users.Numbered(n => n % 3 == _part % 3))
        {
            // A log-out is named after a log-in that was seen, and the row of a slow one may come after it.
            var isSlow = calm && _chance.Next(2) == 0;
            At(_chance.NextDouble() * 3, _ => LogInAsync(user, isSlow));
            At(_chance.NextDouble() * 3, _ => Users.FailToLogInAsync(user));
            At(3 + (_chance.NextDouble() * 0.5), _ => Users.LogOutAsync(user, guessable: calm && !isSlow));
        }
    }
}
