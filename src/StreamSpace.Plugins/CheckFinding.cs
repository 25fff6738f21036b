namespace StreamSpace.Plugins;

/// <summary>How a checked thing stands.</summary>
public enum CheckVerdict
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>It works, and an operator should know.</summary>
    Warning,

    /// <summary>Something is lost, or waits, until it is mended.</summary>
    Error,
}

/// <summary>One thing that the command <c>check</c> looked at.</summary>
/// <param name="What">A few words: the thing.</param>
/// <param name="Verdict">How it stands.</param>
/// <param name="Found">One sentence: what was found. Never a secret.</param>
/// <param name="Fix">What to do, or null when there is nothing to do.</param>
public sealed record CheckFinding(string What, CheckVerdict Verdict, string Found, string? Fix = null);
