using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>Something that was configured and is shown again: a dashboard, a monitor, an SLO, an entity of the catalogue.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Body">The object as it is answered.</param>
internal sealed record Asset(string Id, JsonElement Body)
{
    /// <summary>About how many bytes of memory it takes: its text, and what a parser keeps beside it.</summary>
    public long Bytes { get; } = 2L * Body.GetRawText().Length;

    /// <summary>Text of a field; null where it is absent or null.</summary>
    public string? Text(string field) => Body.TextOf(field);
}
