using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// What an operator should know now. Each is logged once when it begins, once more when it gets worse, and once when it
/// ends, and is shown meanwhile. Any thread.
/// </summary>
internal sealed class Warnings(ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (string Sentence, LogLevel Level)> _current = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Current
    {
        get
        {
            lock (_lock)
            {
                return [.. _current.Values.Select(warning => warning.Sentence)];
            }
        }
    }

    /// <summary>Says what there is to know about something, or with null that it is over.</summary>
    public void Set(string about, string? sentence, LogLevel level = LogLevel.Warning)
    {
        lock (_lock)
        {
            var (before, was) = _current.GetValueOrDefault(about);
            if (sentence is not null)
            {
                _current[about] = (sentence, level > was ? level : was);
            }
            else
            {
                _current.Remove(about);
            }

            if (sentence is not null && (before is null || level > was))
            {
                logger.Log(level, "{Warning}", sentence);
            }
            else if (before is not null && sentence is null)
            {
                logger.LogInformation("No longer so: {Warning}", before);
            }
        }
    }
}
