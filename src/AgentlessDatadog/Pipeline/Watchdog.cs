namespace AgentlessDatadog.Pipeline;

/// <summary>A stage on the way of the data, and how to get it going again; null: only another process can.</summary>
internal sealed record Stage(string Name, Heartbeat Heartbeat, Action? Restart);

/// <summary>
/// Looks at every stage once an interval. One that has had the same thing in hand for three looks, and for 30 s, stands
/// still: that is logged and shown, and the stage is restarted. A back-off and a parked lane are no standstill.
/// </summary>
internal sealed class Watchdog(IReadOnlyList<Stage> stages, Warnings warnings)
{
    private const int Looks = 3;
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(30);

    private readonly Dictionary<Stage, (long Beat, int Looks)> _seen = [];
    private volatile string? _stuck;

    /// <summary>What stands still for good, in a sentence; null: nothing.</summary>
    public string? Stuck => _stuck;

    /// <summary>Called once an interval, by one caller at a time.</summary>
    public void Look(TimeSpan interval)
    {
        var patience = Math.Max(Looks, (int)Math.Ceiling(Least / interval));
        foreach (var stage in stages)
        {
            // What keeps the other kind waiting is restarted before it is given up.
            Look(stage, stage.Restart is null ? 2 * patience : patience, interval);
        }
    }

    private void Look(Stage stage, int patience, TimeSpan interval)
    {
        var before = _seen.GetValueOrDefault(stage);
        var busy = stage.Heartbeat.Busy;
        var looks = busy is { } beat && beat == before.Beat ? before.Looks + 1 : 0;
        _seen[stage] = (busy ?? 0, looks);
        if (looks < patience)
        {
            if (looks == 0)
            {
                Say(stage, null);
            }

            return;
        }
        var still = $"{stage.Name} has stood still for {(interval * looks).TotalSeconds:0} s";
        Say(stage, stage.Restart is null ? $"{still}: start the service again." : $"{still} and is restarted.");
        if (looks % patience == 0)
        {
            stage.Restart?.Invoke();
        }
    }

    private void Say(Stage stage, string? sentence)
    {
        warnings.Set(stage.Restart is null ? WarningKind.Stuck : WarningKind.Stage, $"stage {stage.Name}", sentence);
        if (stage.Restart is null)
        {
            _stuck = sentence;
        }
    }
}
