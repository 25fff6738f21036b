using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// Hands what a program tells of itself to a pipeline, many at once, without the program waiting for it. What waits is
/// bounded; what finds no room is counted, and told. Any thread.
/// </summary>
internal sealed class BackgroundSender<T>
{
    private const int MostWaiting = 10_000;
    private const int Many = 500;

    // So that single signals do not become single commits.
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private readonly Lane _lane;
    private readonly Func<T, Signal> _read;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly ChangeSource _changed = new();
    private readonly ChangeSource _hurry = new();
    private Queue<T> _waiting = [];
    private TelemetryPipeline? _pipeline;
    private long _dropped;
    private bool _isEnding;

    /// <summary>Takes at once; hands over from <see cref="Use"/> on.</summary>
    /// <param name="lane">Whither it goes.</param>
    /// <param name="read">Makes a signal of what was told, stamped by this machine's clock.</param>
    /// <param name="clock">This machine's clock.</param>
    public BackgroundSender(Lane lane, Func<T, Signal> read, TimeProvider clock)
    {
        (_lane, _read, _clock) = (lane, read, clock);
        Ended = RunAsync();
    }

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

    public void Add(T told)
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
            _waiting.Enqueue(told);
            // The first is waited for, and a heap of them; those between are gathered.
            if (_waiting.Count == Many)
            {
                _hurry.Raise();
            }
            else if (_waiting.Count > 1)
            {
                return;
            }
        }
        _changed.Raise();
    }

    /// <summary>Takes nothing more.</summary>
    public void End()
    {
        lock (_lock)
        {
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
            if (!IsUrgent)
            {
                await Task.WhenAny(Task.Delay(Gathering, _clock), hurry).ConfigureAwait(false);
            }

            var told = Take(out var dropped);
            if (await HandOverAsync(pipeline!, told, dropped).ConfigureAwait(false))
            {
                continue;
            }

            if (IsOver)
            {
                return;
            }

            WaitForAnother(pipeline!, told, dropped);
        }
    }

    private void WaitForAnother(TelemetryPipeline ended, IReadOnlyList<T> told, long dropped)
    {
        lock (_lock)
        {
            _waiting = new Queue<T>(told.Concat(_waiting));
            _dropped += dropped;
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

    // What became many while others were handed over has been told to nobody.
    private bool IsUrgent
    {
        get
        {
            lock (_lock)
            {
                return _isEnding || _waiting.Count >= Many;
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

    private IReadOnlyList<T> Take(out long dropped)
    {
        lock (_lock)
        {
            var told = _waiting;
            _waiting = [];
            (dropped, _dropped) = (_dropped, 0);
            return [.. told];
        }
    }

    // False: the pipeline takes nothing more.
    private async Task<bool> HandOverAsync(TelemetryPipeline pipeline, IReadOnlyList<T> told, long dropped)
    {
        while (true)
        {
            try
            {
                await pipeline
                    .KeepAsync(SignalsOf(told, dropped, pipeline), CancellationToken.None)
                    .ConfigureAwait(false);
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
            catch (Exception) when (told.Count > 1)
            {
                foreach (var one in told)
                {
                    if (!await HandOverAsync(pipeline, [one], dropped).ConfigureAwait(false))
                    {
                        return false;
                    }

                    dropped = 0;
                }
                return true;
            }
            catch (Exception)
            {
                return true;
            }
        }
    }

    private List<Signal> SignalsOf(IReadOnlyList<T> told, long dropped, TelemetryPipeline pipeline)
    {
        var correction = pipeline.ClockCorrection;
        List<Signal> signals = [.. told.Select(one => PutRight(_read(one), correction))];
        if (dropped > 0)
        {
            signals.Add(
                new LogEntry(
                    $"{dropped} {_lane.Unit} were dropped: more came than could be kept.",
                    pipeline.Clock.GetUtcNow()
                )
                {
                    Level = Microsoft.Extensions.Logging.LogLevel.Warning,
                }
            );
        }

        return signals;
    }

    private static Signal PutRight(Signal signal, TimeSpan correction) =>
        (correction.Ticks, signal) switch
        {
            (0, _) => signal,
            (_, LogEntry entry) => entry with { At = entry.At + correction },
            (_, Span span) => span with { Start = span.Start + correction },
            _ => signal,
        };
}
