namespace StreamSpace.Plugins;

/// <summary>How a source of platform events stands.</summary>
public enum SourceState
{
    /// <summary>Has not reached its far end yet.</summary>
    Connecting,

    /// <summary>Hears its far end.</summary>
    Up,

    /// <summary>Lost its far end and goes on trying.</summary>
    Down,

    /// <summary>Was stopped by the host.</summary>
    Stopped,
}

/// <summary>One source of platform events, as an operator wants to see it.</summary>
/// <param name="Name">
/// A short word: <c>nats</c>, <c>kubernetes</c>, <c>postgresql</c>, <c>http</c>, <c>demo</c>; or <c>streamspace-api</c>, of which
/// the sources tell whether it can make sessions.
/// </param>
/// <param name="State">How it stands.</param>
/// <param name="Detail">
/// For a person: the address without credentials, or what is wrong and what to do, in one line. Lines below it are a text
/// to apply, such as the YAML that grants a missing right.
/// </param>
/// <param name="Since">When <paramref name="State"/> began.</param>
public sealed record SourceStatus(string Name, SourceState State, string Detail, DateTimeOffset Since)
{
    /// <summary>What to do while it is not up, or null when it is tried again and nothing else is to be done.</summary>
    public string? Fix { get; init; }

    /// <summary>What of it does not work, each in a sentence with what to do; it may be up all the same, and lack a part.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>Messages or looks taken in since the process started.</summary>
    public long Received { get; init; }

    /// <summary>Messages skipped since the process started, by kind of error.</summary>
    public IReadOnlyDictionary<string, long> Skipped { get; init; } = new Dictionary<string, long>();

    /// <summary>How long the source was down because its far end was away, in all, since the process started.</summary>
    public TimeSpan Downtime { get; init; }
}
