namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// A row of sessions. Of version 1 it is good for completing what others tell, and never for what is active
/// (docs/reference/streamspace.md §5.3); of version 2 it says how its session stands (§8.2).
/// </summary>
/// <param name="Id">The primary key, which is the session id.</param>
/// <param name="UserId">Whose it is, or null.</param>
/// <param name="Template">The template's name, or null.</param>
/// <param name="Platform"><c>kubernetes</c>, <c>docker</c> …, or null.</param>
/// <param name="CreatedAt">By the API's wall clock, or null.</param>
internal sealed record SessionRow(string Id, string? UserId, string? Template, string? Platform, DateTime? CreatedAt)
{
    /// <summary>What StreamSpace calls its state; read of version 2 alone.</summary>
    public string? State { get; init; }

    /// <summary>When it was changed last, by the API's wall clock, or null.</summary>
    public DateTime? UpdatedAt { get; init; }

    /// <summary>True when an agent was chosen for it, as for every row that version 2 writes.</summary>
    public bool HasAgent { get; init; }

    /// <summary>True in the page of those that are open, false for one that was changed lately.</summary>
    public bool IsOfPage { get; init; }
}
