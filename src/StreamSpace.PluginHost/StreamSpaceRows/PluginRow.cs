namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>
/// A plugin's row in <c>installed_plugins</c>: what StreamSpace's own Admin → Plugins page shows and edits
/// (docs/reference/streamspace.md §6.2, §7.3).
/// </summary>
/// <param name="Enabled">The page's switch.</param>
/// <param name="Config">
/// A JSON document, as the page's form writes it: numbers and lists may be text. It may hold secrets. Null when it is too large
/// to be read.
/// </param>
/// <param name="UpdatedAt">When it was written last, by the clock of StreamSpace's API, or null.</param>
internal sealed record PluginRow(bool Enabled, string? Config, DateTimeOffset? UpdatedAt)
{
    /// <summary>Without the config, which may hold secrets.</summary>
    public override string ToString() => $"{nameof(PluginRow)} (enabled: {Enabled})";
}
