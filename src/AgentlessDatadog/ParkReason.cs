namespace AgentlessDatadog;

/// <summary>Why a lane is parked. <see cref="LaneStatus.LastError"/> says it in a sentence.</summary>
public enum ParkReason
{
    /// <summary>No API key is set.</summary>
    KeyMissing,

    /// <summary>No site that was asked knows the key.</summary>
    KeyUnknown,

    /// <summary>The key is right on another of Datadog's sites.</summary>
    OtherSite,

    /// <summary>The site knows the key and refuses this product to it.</summary>
    ProductRefused,

    /// <summary>The site has no intake for this kind of data.</summary>
    NotOffered,

    /// <summary>Something that is not Datadog answered, a proxy for instance.</summary>
    NotDatadog,

    /// <summary>It was refused, and nobody could be asked why.</summary>
    Unexplained,
}
