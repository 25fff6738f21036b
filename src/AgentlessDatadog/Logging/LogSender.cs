using AgentlessDatadog.Delivery;

namespace AgentlessDatadog.Logging;

/// <summary>
/// Hands log entries to a pipeline, many at once, without whoever logs waiting for it. What waits is bounded; what finds no
/// room is counted, and told. Any thread.
/// </summary>
internal sealed class LogSender
{
    private const int MostWaiting = 10_000;
    private const int Many = 500;

    // So that single entries do not become single commits.
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _clock;
    private readonly LogFold _fold;
    private readonly Lock _lock = new();
    private readonly ChangeSource _changed = new();
    private readonly ChangeSource _hurry = new();
    private Queue<LogEntry> _waiting = [];
    private TelemetryPipeline? _pipeline;
    private long _dropped;
    private bool _isEnding;

    public LogSender(TimeProvider clock)
    {
        _clock = clock;
        _fold = new LogFold(clock);
        Ended = RunAsync();
    }

    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Completes when all that was added before the end has been handed over, or cannot be.</summary>
    public Task Ended { get; }

    public void Use(TelemetryPipeline pipeline)
    {
        lock (_lock)
        {
            _pipeline = pipeline;
        }

        _changed.Raise();
    }

    public bool LetsThrough(LogKind kind)
    {
        var (letsThrough, summaries) = _fold.Count(kind);
        foreach (var summary in summaries)
        {
            Add(summary);
        }

        return letsThrough;
    }

    public void Add(LogEntry entry)
    {
        lock (_lock)
        {
            if (_isEnding)
            {
                return;
            }

            if (_waiting.Count >= MostWaiting)
            {
                _dropped++;
                return;
            }
            _waiting.Enqueue(entry);
            if (_waiting.Count == Many)
            {
                _hurry.Raise();
            }
        }
        _changed.Raise();
    }

    /// <summary>Takes nothing more.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (_isEnding)
            {
                return;
            }

            foreach (var summary in _fold.Summaries(isLast: true))
            {
                _waiting.Enqueue(summary);
            }

            _isEnding = true;
        }
        _hurry.Raise();
        _changed.Raise();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var changed = _changed.Next;
            var hurry = _hurry.Next;
            if (!HasWork(out var pipeline))
            {
                if (IsOver)
                {
                    return;
                }

                await changed.ConfigureAwait(false);
                continue;
            }
            if (!_isEnding)
            {
                await Task.WhenAny(Task.Delay(Gathering, _clock), hurry).ConfigureAwait(false);
            }

            var entries = Take();
            if (await HandOverAsync(pipeline!, entries).ConfigureAwait(false))
            {
                continue;
            }

            if (IsOver)
            {
                return;
            }

            WaitForAnother(pipeline!, entries);
        }
    }

    private void WaitForAnother(TelemetryPipeline ended, List<LogEntry> entries)
    {
        lock (_lock)
        {
            _waiting = new Queue<LogEntry>(entries.Concat(_waiting));
            if (_pipeline == ended)
            {
                _pipeline = null;
            }
        }
    }

    private bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _isEnding;
            }
        }
    }

    private bool HasWork(out TelemetryPipeline? pipeline)
    {
        lock (_lock)
        {
            pipeline = _pipeline;
            return pipeline is not null && _waiting.Count > 0;
        }
    }

    private List<LogEntry> Take()
    {
        lock (_lock)
        {
            List<LogEntry> entries = [.. _waiting];
            _waiting = [];
            if (_dropped > 0)
            {
                var said = $"{_dropped} log entries were dropped: more came than could be kept.";
                entries.Add(new LogEntry(said, Now) { Level = Microsoft.Extensions.Logging.LogLevel.Warning });
                _dropped = 0;
            }
            return entries;
        }
    }

    // False: the pipeline takes nothing more.
    private async Task<bool> HandOverAsync(TelemetryPipeline pipeline, List<LogEntry> entries)
    {
        while (true)
        {
            try
            {
                await pipeline.KeepAsync(entries, CancellationToken.None).ConfigureAwait(false);
                return true;
            }
            // Its own log says so. Nobody waits for it at the end.
            catch (StoreUnavailableException) when (!IsOver)
            {
                await Task.WhenAny(Task.Delay(RetryInterval, _clock), _hurry.Next).ConfigureAwait(false);
            }
            catch (Exception error) when (error is StoreUnavailableException or InvalidOperationException)
            {
                return false;
            }
            // Something in one of them cannot be read: the others are kept.
            catch (Exception) when (entries.Count > 1)
            {
                foreach (var entry in entries)
                {
                    if (!await HandOverAsync(pipeline, [entry]).ConfigureAwait(false))
                    {
                        return false;
                    }
                }
                return true;
            }
            catch (Exception)
            {
                return true;
            }
        }
    }
}
