using AgentlessDatadog.Signals;
using AgentlessDatadog.Signals.Logs;
using AgentlessDatadog.Signals.Traces;

namespace AgentlessDatadog.Pipeline;

/// <summary>What one caller hands in, and its wait for the commit.</summary>
internal sealed class PendingWrite
{
    private readonly List<Measurement> _measurements = [];
    private readonly List<DatadogEvent> _events = [];
    private readonly List<EncodedSignal> _encoded = [];
    private readonly List<(Lane Lane, string Reason)> _rejected = [];

    public IReadOnlyList<Measurement> Measurements => _measurements;

    public IReadOnlyList<DatadogEvent> Events => _events;

    /// <summary>Spans and log entries, encoded already: what one of them is made of concerns nobody but its caller.</summary>
    public IReadOnlyList<EncodedSignal> Encoded => _encoded;

    /// <summary>Those of them that can never be sent, and why.</summary>
    public IReadOnlyList<(Lane Lane, string Reason)> Rejected => _rejected;

    /// <summary>Holds nothing, and is handed to the store all the same, so that every stage has something to do.</summary>
    public bool IsCanary =>
        Measurements.Count + Events.Count + Encoded.Count + Rejected.Count == 0
        && Range is null
        && ReleasedName is null;

    /// <summary>Whether something in it waits for a flush.</summary>
    public bool Waits => Measurements.Count + Encoded.Count > 0;

    /// <summary>What of a stream it is, when it may come again, perhaps in other pieces.</summary>
    public StreamRange? Range { get; init; }

    /// <summary>A name that may have another type from now on.</summary>
    public string? ReleasedName { get; init; }

    /// <summary>Names the call, and its contents, when it may come again.</summary>
    public (string Key, string Contents)? Call { get; init; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static PendingWrite Canary() => new();

    /// <summary>Sorts what a caller hands in, and leaves out what is switched off: it is not buffered.</summary>
    /// <exception cref="ArgumentNullException">One of the signals is null, or has no tags, texts or attributes.</exception>
    public PendingWrite With(IReadOnlyList<Signal> signals, TelemetryOptions options, DateTimeOffset now)
    {
        LogEncoder? logs = null;
        SpanEncoder? spans = null;
        foreach (var signal in signals)
        {
            switch (signal)
            {
                case Measurement measurement:
                    ArgumentNullException.ThrowIfNull(measurement.Tags);
                    _measurements.Add(measurement);
                    break;
                case DatadogEvent what:
                    ArgumentNullException.ThrowIfNull(what.Tags);
                    ArgumentNullException.ThrowIfNull(what.Title);
                    ArgumentNullException.ThrowIfNull(what.Text);
                    _events.Add(what);
                    break;
                case LogEntry entry when options.Logs:
                    ArgumentNullException.ThrowIfNull(entry.Message);
                    // Whose clock is ahead says when it was by that clock.
                    var at = entry.At < now ? entry.At : now;
                    Add(
                        Lane.Logs,
                        LogRules.Error(entry, now),
                        () => (logs ??= new(options)).Encode(entry with { At = at })
                    );
                    break;
                case Span span when options.Traces:
                    ArgumentNullException.ThrowIfNull(span.Name);
                    Add(Lane.Traces, SpanRules.Error(span, now), () => (spans ??= new(options)).Encode(span));
                    break;
                case null:
                    throw new ArgumentNullException(nameof(signals));
            }
        }
        return this;
    }

    private void Add(Lane lane, string? error, Func<EncodedSignal> encode)
    {
        if (error is null)
        {
            _encoded.Add(encode());
        }
        else
        {
            _rejected.Add((lane, error));
        }
    }
}
