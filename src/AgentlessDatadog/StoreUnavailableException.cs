namespace AgentlessDatadog;

/// <summary>
/// A store could not do what it was asked, and kept nothing of it unless <see cref="MayBeDurable"/>: the disk is full or read-only, it failed, or the
/// file is in use elsewhere. The store works again as soon as the disk does; what was asked may be asked again.
/// </summary>
public sealed class StoreUnavailableException : IOException
{
    /// <summary>
    /// Whether what was asked may be kept all the same: the store did not answer, or failed where nobody can tell.
    /// </summary>
    public bool MayBeDurable { get; init; }

    /// <summary>Says nothing about the reason.</summary>
    public StoreUnavailableException()
        : this("The store is not available.") { }

    /// <summary>Says why.</summary>
    public StoreUnavailableException(string message)
        : base(message) { }

    /// <summary>Says why, and what it comes from.</summary>
    public StoreUnavailableException(string message, Exception inner)
        : base(message, inner) { }
}
