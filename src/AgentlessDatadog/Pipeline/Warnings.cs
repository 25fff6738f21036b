using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// What an operator should know now. Each is logged once when it begins, once more when it gets worse, once a quarter of an hour
/// while it goes on, and once when it ends, and is shown meanwhile. Any thread.
/// </summary>
internal sealed class Warnings(ILogger logger, TimeProvider clock)
{
    private static readonly TimeSpan Reminder = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Said> _current = new(StringComparer.Ordinal);

    /// <param name="Warning">As it is shown.</param>
    /// <param name="Level">The loudest so far.</param>
    /// <param name="At">Timestamp of when it was logged last.</param>
    private sealed record Said(PipelineWarning Warning, LogLevel Level, long At);

    public IReadOnlyList<PipelineWarning> Current
    {
        get
        {
            lock (_lock)
            {
                return [.. _current.Values.Select(said => said.Warning)];
            }
        }
    }

    /// <summary>Says what there is to know about something, or with null that it is over.</summary>
    public void Set(WarningKind kind, string about, string? sentence, LogLevel level = LogLevel.Warning)
    {
        lock (_lock)
        {
            var before = _current.GetValueOrDefault(about);
            if (sentence is null)
            {
                if (_current.Remove(about))
                {
                    Log(LogLevel.Information, "No longer so: {Warning}", before!.Warning.Sentence);
                }
                return;
            }
            var warning = new PipelineWarning(kind, about, sentence);
            if (before is null || level > before.Level)
            {
                Log(level, "{Warning}", sentence);
                _current[about] = new Said(warning, level, clock.GetTimestamp());
            }
            else if (clock.GetElapsedTime(before.At) >= Reminder)
            {
                Log(before.Level, "Still so: {Warning}", sentence);
                _current[about] = before with { Warning = warning, At = clock.GetTimestamp() };
            }
            else
            {
                _current[about] = before with { Warning = warning };
            }
        }
    }

#pragma warning disable CA2254 // Each caller's template is a constant.
    private void Log(LogLevel level, string template, string sentence) =>
        logger.Log(level, TelemetryStatus.WarningEvent, template, sentence);
#pragma warning restore CA2254
}
