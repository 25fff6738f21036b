namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>A row of sessions: good for completing what others tell, and never for what is active (docs/reference/streamspace.md §5.3).</summary>
internal sealed record SessionRow(string Id, string? UserId, string? Template, string? Platform, DateTime? CreatedAt);
