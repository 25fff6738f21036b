namespace AgentlessDatadog;

/// <summary>What a warning of a pipeline is about.</summary>
public enum WarningKind
{
    /// <summary>Nothing can be kept: the store fails or does not answer.</summary>
    Store,

    /// <summary>The store's files were taken away and are made anew.</summary>
    StoreFile,

    /// <summary>This machine's clock.</summary>
    Clock,

    /// <summary>The room for requests gets short.</summary>
    Room,

    /// <summary>Something has waited so long that it will be given up.</summary>
    Age,

    /// <summary>A stage stood still and is restarted by itself.</summary>
    Stage,

    /// <summary>A stage stands still that only another process can replace.</summary>
    Stuck,

    /// <summary>A lane waits, or is parked: <see cref="LaneStatus.Failure"/> shows it.</summary>
    Lane,
}

/// <summary>Something that an operator should know of a pipeline now.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="About">The same for as long as it goes on, and unlike that of any other, as in <c>age of metrics</c>.</param>
/// <param name="Sentence">What is so; what it counts may change while it goes on.</param>
public sealed record PipelineWarning(WarningKind Kind, string About, string Sentence);
