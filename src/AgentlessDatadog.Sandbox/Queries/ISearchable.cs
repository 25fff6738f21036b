namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>What a search can look at: a span, a log, an event.</summary>
internal interface ISearchable
{
    /// <summary>Its own time, in nanoseconds since 1970.</summary>
    long Time { get; }

    /// <summary>Tells things of one time apart; later arrivals have the greater.</summary>
    long Sequence { get; }

    /// <summary>
    /// The values of a field, none where it has none. A field is <c>@</c> and the path of an attribute, or the name of what
    /// all have, or the key of a tag; the empty one stands for what words without a field are looked for in.
    /// </summary>
    IEnumerable<string> ValuesOf(string field);
}
