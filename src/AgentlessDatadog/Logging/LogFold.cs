using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Logging;

/// <summary>One kind of log entry: all that one place in a program writes.</summary>
internal sealed record LogKind(string Category, LogLevel Level, string Template);

/// <summary>
/// Lets so many entries of a kind through in a minute, and counts the rest, so that a storm of one message costs one entry
/// more. Any thread.
/// </summary>
internal sealed class LogFold(TimeProvider clock)
{
    /// <summary>Entries of a kind that are sent in a minute.</summary>
    public const int Limit = 60;

    private readonly Lock _lock = new();
    private readonly Dictionary<LogKind, int> _counts = [];
    private long _minute;

    /// <summary>Whether an entry is sent itself, and what is to be told of the minute before, if that is over.</summary>
    public (bool LetsThrough, IReadOnlyList<LogEntry> Summaries) Count(LogKind kind)
    {
        lock (_lock)
        {
            var summaries = Summaries();
            var before = _counts.GetValueOrDefault(kind);
            _counts[kind] = before + 1;
            return (before < Limit, summaries);
        }
    }

    /// <summary>One entry for each kind of which some were not sent, once their minute is over.</summary>
    public IReadOnlyList<LogEntry> Summaries(bool isLast = false)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            var minute = now.ToUnixTimeSeconds() / 60;
            if (minute == _minute && !isLast)
            {
                return [];
            }

            var over = _counts
                .Where(count => count.Value > Limit)
                .Select(count => Summary(count.Key, count.Value, now));
            List<LogEntry> summaries = [.. over];
            _counts.Clear();
            _minute = minute;
            return summaries;
        }
    }

    private static LogEntry Summary(LogKind kind, int count, DateTimeOffset now) =>
        new($"{count - Limit} more like this within a minute: {kind.Template}", now)
        {
            Level = kind.Level,
            Logger = kind.Category,
            Attributes = [new("folded", count - Limit)],
        };
}
