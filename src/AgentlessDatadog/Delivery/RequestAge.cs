using AgentlessDatadog.Store;

namespace AgentlessDatadog.Delivery;

/// <summary>How old requests are for Datadog, and which of them it would not take (docs/reference/datadog.md §3.5, §4.1).</summary>
internal sealed class RequestAge(DatadogClock clock)
{
    /// <summary>The reason of what expires because of its age.</summary>
    public const string TooOld = "too old for Datadog";

    /// <summary>The reason of what was stamped by a clock that was ahead.</summary>
    public const string Ahead = "ahead of Datadog's clock";

    /// <summary>
    /// The age of the oldest thing in a request. What an earlier process left counts as no older than this one before Datadog
    /// has told the time, for a wrong clock must not cost the whole queue.
    /// </summary>
    public TimeSpan Of(RequestHeader header) =>
        clock.GetUtcNow() - (clock.IsKnown || header.Oldest > clock.Began ? header.Oldest : clock.Began);

    /// <summary>When a request is given up, as things are.</summary>
    public DateTimeOffset ExpiryOf(RequestHeader header) => clock.GetUtcNow() + header.Lane.MaxAge - Of(header);

    /// <summary>Whether Datadog would no longer take it.</summary>
    public bool IsTooOld(RequestHeader header) => Of(header) > header.Lane.MaxAge;

    /// <summary>Whether it is too old by this machine's clock alone.</summary>
    public bool SeemsTooOld(RequestHeader header) =>
        !clock.IsKnown && clock.GetUtcNow() - header.Oldest > header.Lane.MaxAge;

    /// <summary>Whether it is so far ahead of Datadog's clock that Datadog would drop it.</summary>
    public bool IsAhead(RequestHeader header) => clock.IsKnown && IsAhead(header, clock.GetUtcNow());

    /// <summary>Whether Datadog drops it, without a word, when it has this time of day.</summary>
    public static bool IsDropped(RequestHeader header, DateTimeOffset theirs) =>
        theirs - header.Oldest > header.Lane.MaxAge || IsAhead(header, theirs);

    private static bool IsAhead(RequestHeader header, DateTimeOffset now) => header.Oldest - now > header.Lane.MaxAhead;
}
