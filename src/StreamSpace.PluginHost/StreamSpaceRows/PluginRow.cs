namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// A plugin's row in <c>installed_plugins</c>: what StreamSpace's own Admin → Plugins page shows and edits
/// (docs/reference/streamspace.md §6.2, §7.3).
/// </summary>
/// <param name="Enabled">The page's switch.</param>
/// <param name="Config">A JSON document, as the page's form writes it: numbers and lists may be text. It may hold secrets.</param>
/// <param name="UpdatedAt">When it was written last, by the clock of StreamSpace's API, or null.</param>
public sealed record PluginRow(bool Enabled, string Config, DateTimeOffset? UpdatedAt)
{
    /// <summary>Without the config, which may hold secrets.</summary>
    public override string ToString() => $"{nameof(PluginRow)} (enabled: {Enabled})";
}

/// <summary>Whether there is a row.</summary>
public enum PluginRowState
{
    /// <summary>There is one.</summary>
    Present,

    /// <summary>There is none.</summary>
    Absent,

    /// <summary>The table is not there, may not be read, or the row is too large: nobody can tell.</summary>
    Unreadable,

    /// <summary>The database is away. What was true before may still be.</summary>
    Unreachable,
}

/// <summary>One look at a plugin's row.</summary>
/// <param name="State">Whether there is one.</param>
/// <param name="Row">The row when <paramref name="State"/> is <see cref="PluginRowState.Present"/>, else null.</param>
/// <param name="Detail">One sentence for a person: where it was read, or what is wrong and what to do.</param>
public sealed record PluginRowSight(PluginRowState State, PluginRow? Row, string Detail);
