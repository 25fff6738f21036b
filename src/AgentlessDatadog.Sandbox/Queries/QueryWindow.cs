namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>What time a query is about, in POSIX seconds, both ends included, and how it is divided.</summary>
internal sealed record QueryWindow(long From, long To)
{
    /// <summary>How wide its buckets are, in seconds; null for what fits it.</summary>
    public int? Interval { get; init; }

    /// <summary>True when all of it is one bucket, whatever a query says of its own.</summary>
    public bool IsOneBucket { get; init; }

    /// <summary>True when counts that are read as counts are 0 where they are missing, as monitors take them.</summary>
    public bool CountsAreZeroWhereMissing { get; init; }

    public long Span => To - From;

    /// <summary>How wide the buckets of a query are, which may say so itself.</summary>
    public int IntervalOf(int? rollup) =>
        IsOneBucket ? (int)Math.Min(int.MaxValue, Span + 1) : rollup ?? Interval ?? Queries.Interval.For(Span);

    /// <summary>Where the bucket of a second begins.</summary>
    public long BucketOf(long second, int interval) => IsOneBucket ? From : second - (second % interval);

    /// <summary>The same, so many seconds before.</summary>
    public QueryWindow Before(long seconds) => this with { From = From - seconds, To = To - seconds };
}
