namespace AgentlessDatadog;

/// <summary>
/// Lets 60 events of a kind through in a minute and counts the rest, so that a storm of them costs one summary a minute.
/// Belongs to the loop.
/// </summary>
internal sealed class EventFold
{
    private const int Limit = 60;

    private readonly Dictionary<(string Kind, long Minute), int> _counts = [];

    /// <summary>Whether an event is sent itself.</summary>
    public bool Admit(string? kind, DateTimeOffset now)
    {
        if (kind is null)
            return true;
        var key = (kind, Minute(now));
        var count = _counts.GetValueOrDefault(key) + 1;
        _counts[key] = count;
        return count <= Limit;
    }

    /// <summary>Summaries of the minutes that are over, or of all; <see cref="Forget"/> ends them.</summary>
    public List<DatadogEvent> Summaries(DateTimeOffset now, bool all) =>
        [
            .. _counts
                .Where(entry => entry.Value > Limit && (all || entry.Key.Minute < Minute(now)))
                .Select(entry => Summary(entry.Key.Kind, entry.Key.Minute, entry.Value - Limit)),
        ];

    /// <summary>Drops the minutes that <see cref="Summaries"/> told about.</summary>
    public void Forget(DateTimeOffset now, bool all)
    {
        foreach (var key in _counts.Keys.Where(key => all || key.Minute < Minute(now)).ToList())
            _counts.Remove(key);
    }

    private static DatadogEvent Summary(string kind, long minute, int count)
    {
        var at = DateTimeOffset.FromUnixTimeSeconds(minute * 60);
        var text =
            $"From {at:HH:mm} to {at.AddMinutes(1):HH:mm} UTC there were {Limit + count} events of this kind. "
            + $"The first {Limit} were sent, the other {count} are in this summary.";
        return new DatadogEvent($"{count} more events: {kind}", text, at.AddSeconds(59));
    }

    private static long Minute(DateTimeOffset at) => at.ToUnixTimeSeconds() / 60;
}
