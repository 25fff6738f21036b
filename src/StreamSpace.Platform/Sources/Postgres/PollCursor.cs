namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Where a poll begins.</summary>
/// <param name="Privileges">What may be read.</param>
/// <param name="Audit">How far audit_log was seen, or null at a first poll.</param>
/// <param name="AfterUser">The user id that the page before ended with.</param>
/// <param name="Sessions">Where sessions go on.</param>
internal sealed record PollCursor(
    PostgresPrivileges Privileges,
    AuditPosition? Audit,
    string AfterUser,
    SessionsCursor Sessions
);
