namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>What a row of audit_log means to us.</summary>
internal enum AuditKind
{
    /// <summary>A request like any other.</summary>
    Request,

    /// <summary>A log-in that succeeded.</summary>
    LogIn,

    /// <summary>A log-out.</summary>
    LogOut,

    /// <summary>A request for a session, which the API took.</summary>
    CreateTaken,

    /// <summary>A request for a session, which the API answered with an error of its own.</summary>
    CreateRefused,
}
