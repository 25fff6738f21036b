namespace AgentlessDatadog.Signals.Events;

/// <summary>
/// Lets 60 events of a kind through in a minute and counts the rest, so that a storm of them costs one summary a minute.
/// What is folded counts as queued until its summary is kept. Belongs to the loop.
/// </summary>
internal sealed class EventFold
{
    private const int Limit = 60;

    private readonly Dictionary<(string Kind, long Minute), int> _counts = [];
    private long _left;

    /// <summary>Takes what a process folded that ended before it could tell: its summary comes with the next flush.</summary>
    public void Start(long left) => _left = left;

    /// <summary>Whether an event is sent itself, when so many of its kind come before it and are not added yet.</summary>
    public bool LetsThrough(string kind, int before, DateTimeOffset now) =>
        _counts.GetValueOrDefault((kind, Minute(now))) + before < Limit;

    /// <summary>So many of a kind have been kept.</summary>
    public void Add(string kind, int count, DateTimeOffset now)
    {
        var key = (kind, Minute(now));
        _counts[key] = _counts.GetValueOrDefault(key) + count;
    }

    /// <summary>
    /// Summaries of the minutes that are over, also those that a clock was ahead by, or of all, and how many events are in them; <see cref="Forget"/> ends them.
    /// </summary>
    public (List<DatadogEvent> Summaries, long Units) Summaries(DateTimeOffset now, bool all)
    {
        var over = _counts
            .Where(entry => entry.Value > Limit && (all || entry.Key.Minute != Minute(now)))
            .Select(entry => (entry.Key.Kind, entry.Key.Minute, Count: entry.Value - Limit))
            .ToList();
        var summaries = over.ConvertAll(one => Summary(one.Kind, one.Minute, one.Count));
        if (_left > 0)
        {
            summaries.Add(SummaryOfLeft(now));
        }

        return (summaries, over.Sum(one => one.Count) + _left);
    }

    /// <summary>Drops the minutes that <see cref="Summaries"/> told about.</summary>
    public void Forget(DateTimeOffset now, bool all)
    {
        _left = 0;
        foreach (var key in _counts.Keys.Where(key => all || key.Minute != Minute(now)).ToList())
        {
            _counts.Remove(key);
        }
    }

    private static DatadogEvent Summary(string kind, long minute, int count)
    {
        var at = DateTimeOffset.FromUnixTimeSeconds(minute * 60);
        EventText text =
            $"From {at:HH:mm} to {at.AddMinutes(1):HH:mm} UTC there were {Limit + count} events of this kind. "
            + $"The first {Limit} were sent, the other {count} are in this summary.";
        return new DatadogEvent($"{count} more events: {kind}", text, at.AddSeconds(59));
    }

    private DatadogEvent SummaryOfLeft(DateTimeOffset now) =>
        new(
            $"{_left} more events: before a restart",
            $"The process ended before it could say of which kind they were. The first {Limit} of each kind and minute were sent.",
            now
        );

    private static long Minute(DateTimeOffset at) => at.ToUnixTimeSeconds() / 60;
}
