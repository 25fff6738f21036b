namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>Whether there is a row.</summary>
internal enum PluginRowState
{
    /// <summary>There is one.</summary>
    Present,

    /// <summary>There is none.</summary>
    Absent,

    /// <summary>There is one that is not read, for its config is too large.</summary>
    TooLarge,

    /// <summary>The table is not there, or may not be read: nobody can tell.</summary>
    Unreadable,

    /// <summary>The database is away. What was true before may still be.</summary>
    Unreachable,
}

/// <summary>One reading of a plugin's row.</summary>
/// <param name="State">Whether there is one.</param>
/// <param name="Row">The row where there is one, else null.</param>
/// <param name="Detail">One sentence for a person: where it was read, or what is wrong and what to do.</param>
internal sealed record PluginRowReading(PluginRowState State, PluginRow? Row, string Detail);
