namespace StreamSpace.Datadog.Provisioning;

/// <summary>What became of an asset, or would.</summary>
internal enum Change
{
    /// <summary>It is as it should be; or, where all are removed, not there.</summary>
    None,

    /// <summary>It was not there.</summary>
    Create,

    /// <summary>It was otherwise.</summary>
    Update,

    /// <summary>It was there, and should not be.</summary>
    Remove,

    /// <summary>It is about a metric that Datadog has not heard of yet.</summary>
    Wait,

    /// <summary>It could not be.</summary>
    Fail,
}

/// <summary>What became of one asset.</summary>
/// <param name="Asset">Which.</param>
/// <param name="Change">What was done, or would be.</param>
/// <param name="Differences">In what it was otherwise.</param>
/// <param name="Error">Why it could not be, in a sentence; else null.</param>
internal sealed record Outcome(Asset Asset, Change Change, IReadOnlyList<Difference> Differences, string? Error = null);
