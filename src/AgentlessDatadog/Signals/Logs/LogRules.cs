namespace AgentlessDatadog.Signals.Logs;

/// <summary>What Datadog takes of a log (docs/reference/datadog.md §6.2).</summary>
internal static class LogRules
{
    /// <summary>The most bytes of an entry in its request.</summary>
    public const int MaxBytes = 1_000_000;

    /// <summary>Why an entry can never be sent, or null.</summary>
    public static string? Error(LogEntry entry, DateTimeOffset now)
    {
        if (entry.Error is null && string.IsNullOrWhiteSpace(entry.Message.ToString()))
        {
            return "message is empty";
        }

        return now - entry.At > Lane.Logs.MaxAge ? "it was written more than 18 h ago" : null;
    }
}
