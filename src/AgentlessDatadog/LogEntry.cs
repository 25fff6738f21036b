using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>An entry for Datadog's logs (docs/reference/datadog.md §6.1).</summary>
/// <param name="Message">Required. Of an entry beyond 1 MB its end is cut off, with a mark that says so.</param>
/// <param name="At">When it was written; Datadog takes the last 18 h. What is said to lie ahead was written now.</param>
public sealed record LogEntry(EventText Message, DateTimeOffset At) : Signal
{
    /// <summary>How much it matters: Datadog's <c>status</c>.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>Who wrote it, such as a category. Null: nobody in particular.</summary>
    public string? Logger { get; init; }

    /// <summary>The service it belongs to. Null: <see cref="TelemetryOptions.Service"/>.</summary>
    public string? Service { get; init; }

    /// <summary>The technology it comes from, by which Datadog picks how to read it.</summary>
    public string Source { get; init; } = "csharp";

    /// <summary>Tags of this entry alone; the pipeline adds its own.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>
    /// What it says, by name: text, numbers, booleans; anything else as its text. They are data that is found by its name,
    /// and stand as they are. The first 250 are kept, of a name 200 characters, of a text 25 000, of all together 80 000;
    /// <c>attributes.dropped</c> says how many were not.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Attributes { get; init; } = [];

    /// <summary>What went wrong, if anything did.</summary>
    public ErrorDetails? Error { get; init; }

    /// <summary>The trace it was written in; 0 for none.</summary>
    public UInt128 TraceId { get; init; }

    /// <summary>The span it was written in; 0 for none.</summary>
    public ulong SpanId { get; init; }
}
