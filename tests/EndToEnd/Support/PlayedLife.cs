namespace EndToEnd.Support;

/// <summary>What really happened to one session: the judge's own account.</summary>
public sealed class PlayedLife(string id, string user, string template)
{
    private readonly List<(DateTimeOffset At, bool Awake)> _turns = [];
    private bool _asleep;

    public string Id => id;

    public string User => user;

    public string Template => template;

    public DateTimeOffset? Created { get; private set; }

    /// <summary>When its creation was heard of.</summary>
    public DateTimeOffset? Introduced { get; private set; }

    public DateTimeOffset? FirstRun { get; private set; }

    public DateTimeOffset? Failed { get; private set; }

    public DateTimeOffset? Ended { get; private set; }

    public void Create(DateTimeOffset at, DateTimeOffset heard)
    {
        Created ??= at;
        Introduced ??= heard;
        _turns.Insert(0, (at, true));
    }

    /// <summary>It is asked for; a session it is once it runs.</summary>
    public void Request(DateTimeOffset at)
    {
        Created ??= at;
        Introduced ??= at;
        _turns.Insert(0, (at, false));
    }

    public void Run(DateTimeOffset at)
    {
        FirstRun ??= at;
        Turn(at, awake: true);
    }

    public void Sleep(DateTimeOffset at) => Turn(at, awake: false);

    public void Fail(DateTimeOffset at)
    {
        Failed ??= at;
        Turn(at, awake: false);
    }

    public void End(DateTimeOffset at)
    {
        if (Ended is null)
        {
            Ended = at;
            Turn(at, awake: false);
        }
    }

    /// <summary>Whether it was meant to run at a moment.</summary>
    public bool ActiveAt(DateTimeOffset at) => _turns.Exists(t => t.At <= at) && _turns.FindLast(t => t.At <= at).Awake;

    public bool AsleepAtTheEnd => Ended is null && Failed is null && _asleep;

    /// <summary>Seconds it was awake up to a moment.</summary>
    public double AwakeSeconds(DateTimeOffset at)
    {
        var sum = TimeSpan.Zero;
        for (var i = 0; i < _turns.Count; i++)
        {
            var from = _turns[i].At;
            var to = i + 1 < _turns.Count && _turns[i + 1].At < at ? _turns[i + 1].At : at;
            sum += _turns[i].Awake && to > from ? to - from : TimeSpan.Zero;
        }
        return sum.TotalSeconds;
    }

    /// <summary>The moments in a stretch of time from which on something else was true of it.</summary>
    public IEnumerable<DateTimeOffset> TurnsIn(DateTimeOffset from, DateTimeOffset to) =>
        _turns.Select(t => t.At).Append(Introduced ?? from).Where(at => at > from && at <= to);

    public override string ToString() =>
        $"{Id} heard {Introduced:HH:mm:ss.fff} "
        + string.Join(' ', _turns.Select(t => $"{(t.Awake ? '+' : '-')}{t.At:HH:mm:ss.fff}"));

    private void Turn(DateTimeOffset at, bool awake)
    {
        _asleep = !awake;
        _turns.Add((at, awake));
    }
}
