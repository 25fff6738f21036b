namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>A row of audit_log.</summary>
/// <param name="Id">Given when the row was begun; it may become visible after higher ones.</param>
/// <param name="Start">When the request began, by the API's wall clock.</param>
/// <param name="UserId">The user that a token named, or null.</param>
/// <param name="Address">The client's address, or null.</param>
/// <param name="Kind">What it means.</param>
/// <param name="Took">How long the request took, whole milliseconds; zero where that does not matter.</param>
internal sealed record AuditRow(
    long Id,
    DateTime Start,
    string? UserId,
    string? Address,
    AuditKind Kind,
    TimeSpan Took
);
