namespace StreamSpace.Plugins;

/// <summary>Why a session failed, as far as it can be told. Members may be added.</summary>
public enum FailureCause
{
    /// <summary>None of the others, or not known.</summary>
    Other,

    /// <summary>Its template is not there, or cannot be used.</summary>
    Template,

    /// <summary>It was asked for, and nothing was made of it in time.</summary>
    Timeout,
}
