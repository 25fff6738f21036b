using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>
/// What an operator should know now. Each is logged once when it begins and once when it ends, and is shown meanwhile.
/// Any thread.
/// </summary>
internal sealed class Warnings(ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, string> _current = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Current
    {
        get
        {
            lock (_lock)
                return [.. _current.Values];
        }
    }

    /// <summary>Says what there is to know about something, or with null that it is over.</summary>
    public void Set(string about, string? sentence)
    {
        lock (_lock)
        {
            var before = _current.GetValueOrDefault(about);
            if (sentence is not null)
                _current[about] = sentence;
            else
                _current.Remove(about);
            if (before is null && sentence is not null)
                logger.LogWarning("{Warning}", sentence);
            else if (before is not null && sentence is null)
                logger.LogInformation("No longer so: {Warning}", before);
        }
    }
}
