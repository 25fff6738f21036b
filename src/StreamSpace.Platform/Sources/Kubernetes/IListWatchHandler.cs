namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Takes what a <see cref="ListWatch{T}"/> sees, in its order.</summary>
internal interface IListWatchHandler<in T>
{
    /// <summary>A list begins to be seen, or is complete or given up.</summary>
    void Lists(bool begins);

    /// <summary>These are there, as they are now.</summary>
    ValueTask SeeAsync(IReadOnlyList<T> items, CancellationToken cancellationToken);

    /// <summary>This one is gone, as it was at last.</summary>
    ValueTask RemoveAsync(T item, CancellationToken cancellationToken);

    /// <summary>The list is complete: nothing is there but these.</summary>
    ValueTask KeepAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken);

    /// <summary>It is heard (null), or is not, and is tried again.</summary>
    ValueTask TellAsync(ClusterException? error, CancellationToken cancellationToken);

    /// <summary>A resource could not be read, and was skipped.</summary>
    void Skipped(string kind);
}
