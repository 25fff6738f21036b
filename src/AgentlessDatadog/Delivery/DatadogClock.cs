namespace AgentlessDatadog.Delivery;

/// <summary>
/// The time of day by which everything here is stamped and judged: this machine's, put right by Datadog's own, which each
/// of its answers tells. A machine's clock that is set is not believed before Datadog has confirmed it: until then time
/// goes on as it passes. Any thread.
/// </summary>
internal sealed class DatadogClock(TimeProvider machine) : TimeProvider
{
    // Up to here the machine is taken at its word: an answer tells whole seconds, and is on its way for some.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(60);

    // Datadog takes points up to ten minutes ahead.
    private static readonly TimeSpan Alarm = TimeSpan.FromMinutes(10);

    // An answer that was longer on its way says nothing about now.
    private static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();

    // When this machine's clock was believed last, by itself and by the one that never steps.
    private (DateTimeOffset Time, long Stamp) _believed = (machine.GetUtcNow(), machine.GetTimestamp());
    private TimeSpan _correction;
    private TimeSpan? _skew;

    /// <summary>When it was made, by this machine's clock.</summary>
    public DateTimeOffset Began { get; } = machine.GetUtcNow();

    /// <summary>Whether Datadog has told its own time yet.</summary>
    public bool IsKnown => Skew is not null;

    /// <summary>How far this machine's clock was ahead of Datadog's at the last answer that says; null before it.</summary>
    public TimeSpan? Skew
    {
        get
        {
            lock (_lock)
            {
                return _skew;
            }
        }
    }

    /// <summary>How far this machine's clock was set, since it was believed last; zero while that is little.</summary>
    public TimeSpan Step
    {
        get
        {
            lock (_lock)
            {
                var step = machine.GetUtcNow() - Passed();
                return step.Duration() < Tolerance ? TimeSpan.Zero : step;
            }
        }
    }

    /// <summary>What is added to this machine's clock; zero while that is right.</summary>
    public TimeSpan Correction
    {
        get
        {
            lock (_lock)
            {
                return _correction - Step;
            }
        }
    }

    /// <summary>Whether the clock was set so far that points could be lost, and Datadog has not said yet who is right.</summary>
    public bool IsInDoubt => Step.Duration() >= Alarm;

    /// <summary>Whether this machine's clock is so wrong that points would be lost by it.</summary>
    public bool IsAlarming => IsInDoubt || Skew?.Duration() >= Alarm;

    /// <summary>What is wrong with this machine's clock and what follows, in a sentence; null while it is right.</summary>
    public string? Error
    {
        get
        {
            if (IsInDoubt)
            {
                var way = Step > TimeSpan.Zero ? "forward" : "back";
                return $"This machine's clock was set {way} by {Spoken(Step)}, and Datadog has not said yet whether it is right "
                    + "now: the flush is held, and what counts is kept until then.";
            }
            if (Skew is not { } skew || skew.Duration() < Tolerance)
            {
                return null;
            }

            var side = skew > TimeSpan.Zero ? "ahead of" : "behind";
            return $"This machine's clock is {Spoken(skew)} {side} Datadog's: points are stamped by Datadog's clock. Set this "
                + "machine's.";
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            var (now, passed) = (machine.GetUtcNow(), Passed());
            return ((now - passed).Duration() < Tolerance ? now : passed) + _correction;
        }
    }

    /// <summary>An answer came.</summary>
    /// <param name="theirs">The time of day when it was written.</param>
    /// <param name="asked">Timestamp of when the request was begun.</param>
    public void Tell(DateTimeOffset theirs, long asked)
    {
        lock (_lock)
        {
            var (now, stamp) = (machine.GetUtcNow(), machine.GetTimestamp());
            if (machine.GetElapsedTime(asked, stamp) > LongestWay)
            {
                return;
            }

            var skew = now - theirs;
            // Not moved by less, or time would tremble with each answer.
            if ((skew + _correction).Duration() >= Tolerance)
            {
                _correction = skew.Duration() < Tolerance ? TimeSpan.Zero : -skew;
            }

            (_skew, _believed) = (skew, (now, stamp));
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    /// <inheritdoc/>
    public override long GetTimestamp() => machine.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    private DateTimeOffset Passed() => _believed.Time + machine.GetElapsedTime(_believed.Stamp);

    private static string Spoken(TimeSpan time) =>
        time.Duration() < Alarm ? $"{time.Duration().TotalSeconds:0} s" : $"{time.Duration().TotalMinutes:0} min";
}
