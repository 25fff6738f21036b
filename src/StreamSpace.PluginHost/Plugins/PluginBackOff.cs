namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// When a plugin that did not come back is tried again: after ten seconds, then twice as long each time, a quarter more
/// or less by chance, ten minutes at most. One that has run for ten minutes begins anew.
/// </summary>
internal sealed class PluginBackOff(TimeProvider clock, Func<double> random)
{
    /// <summary>After which a config is tried again that a plugin threw over.</summary>
    public static readonly TimeSpan ConfigEvery = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private DateTimeOffset? _runsSince;

    /// <summary>When it did not come back for the first time in this row, or null while all is well.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>How long that has been so.</summary>
    public TimeSpan For => Since is { } since ? clock.GetUtcNow() - since : TimeSpan.Zero;

    /// <summary>How often it has been tried in this row, and did not come back.</summary>
    public int Attempts { get; private set; }

    /// <summary>When it is tried next, or null while nothing is to be tried.</summary>
    public DateTimeOffset? Next { get; private set; }

    /// <summary>True when the time of the next attempt has come.</summary>
    public bool IsDue => Next <= clock.GetUtcNow();

    /// <summary>How long it is until the next attempt, a second at least; null while nothing is to be tried.</summary>
    public TimeSpan? Wait =>
        Next is { } next
            ? TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling((next - clock.GetUtcNow()).TotalSeconds)))
            : null;

    /// <summary>Why it did not come back the last time.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>It did not come back.</summary>
    public void Fail(string reason)
    {
        Reason = reason;
        var now = clock.GetUtcNow();
        if (_runsSince is { } since && now - since >= Longest)
        {
            (Since, Attempts) = (null, 0);
        }
        _runsSince = null;
        Attempts += Since is null ? 0 : 1;
        Since ??= now;
        // The exponent is bounded, so that the time is.
        var wait = Math.Min(Longest.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(Attempts, 10)));
        Next = now + TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, wait * (0.75 + (random() / 2))));
    }

    /// <summary>It is back.</summary>
    public void Succeed() => (_runsSince, Next) = (clock.GetUtcNow(), null);

    /// <summary>Nobody wants it to run any more.</summary>
    public void Reset() => (_runsSince, Next, Since, Attempts) = (null, null, null, 0);
}
