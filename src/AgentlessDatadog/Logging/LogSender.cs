using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Logging;

/// <summary>Hands log entries to a pipeline in the background, with storms of one message folded. Any thread.</summary>
internal sealed class LogSender(TimeProvider clock)
{
    private readonly LogFold _fold = new(clock);
    private readonly BackgroundSender<LogEntry> _sender = new(Lane.Logs, entry => entry, clock);

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Completes when all that was added before the end has been handed over, or cannot be.</summary>
    public Task Ended => _sender.Ended;

    public void Use(TelemetryPipeline pipeline) => _sender.Use(pipeline);

    public bool LetsThrough(LogKind kind)
    {
        var (letsThrough, summaries) = _fold.Count(kind);
        Add(summaries);
        return letsThrough;
    }

    public void Add(params IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            _sender.Add(entry);
        }
    }

    /// <summary>Takes nothing more.</summary>
    public void End()
    {
        Add(_fold.Summaries(isLast: true));
        _sender.End();
    }
}
