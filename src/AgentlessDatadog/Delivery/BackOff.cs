namespace AgentlessDatadog.Delivery;

/// <summary>
/// How long a lane waits after failures: twice as long each time from 2 s to 64 s, drawn from the upper half so that
/// many senders do not come back in step. After a failure one request goes alone, as a probe.
/// </summary>
internal sealed class BackOff(Func<double> random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(64);

    // A server may ask for more, but no answer, whoever wrote it, silences a lane for longer than this.
    private static readonly TimeSpan LongestAskedFor = TimeSpan.FromMinutes(15);

    private int _failures;

    /// <summary>Whether the next request is a probe.</summary>
    public bool IsProbing => _failures > 0;

    public void Succeeded() => _failures = 0;

    /// <summary>How long to wait, at least as long as the server asked for.</summary>
    public TimeSpan Failed(TimeSpan? askedFor)
    {
        _failures++;
        var full = First * Math.Pow(2, Math.Min(_failures, 6) - 1) * 2;
        full = full < Longest ? full : Longest;
        var drawn = full * (0.5 + random() / 2);
        var asked =
            askedFor is { } time && time < LongestAskedFor ? time
            : askedFor is null ? default
            : LongestAskedFor;
        return drawn > asked ? drawn : asked;
    }
}
