namespace StreamSpace.Plugins;

/// <summary>How a plugin stands as a whole.</summary>
public enum VerdictState
{
    /// <summary>It does what it is for.</summary>
    Ok,

    /// <summary>It works, and an operator should know something.</summary>
    Degraded,

    /// <summary>Something is lost, or waits, until it is mended.</summary>
    Failing,
}

/// <summary>How a plugin stands, in one sentence with one thing to do: the same wherever it is shown.</summary>
/// <param name="State">How it stands.</param>
/// <param name="About">The thing that the sentence is about, in a few words; empty while all is well.</param>
/// <param name="Sentence">What is so. Never a secret.</param>
/// <param name="Fix">What to do, or null when there is nothing to do.</param>
public sealed record PluginVerdict(VerdictState State, string About, string Sentence, string? Fix)
{
    /// <summary>
    /// The worst of <paramref name="findings"/>, of equals the first; or <paramref name="allIsWell"/> when none is a
    /// warning or an error.
    /// </summary>
    public static PluginVerdict Of(IEnumerable<CheckFinding> findings, string allIsWell) =>
        WorstFirst(findings).FirstOrDefault() is { Verdict: not CheckVerdict.Good } worst
            ? new(
                worst.Verdict is CheckVerdict.Error ? VerdictState.Failing : VerdictState.Degraded,
                worst.What,
                worst.Found,
                worst.Fix
            )
            : new(VerdictState.Ok, "", allIsWell, null);

    /// <summary>Findings with the worst first, and equals in their order.</summary>
    public static IEnumerable<CheckFinding> WorstFirst(IEnumerable<CheckFinding> findings) =>
        findings.OrderByDescending(f => f.Verdict);
}
