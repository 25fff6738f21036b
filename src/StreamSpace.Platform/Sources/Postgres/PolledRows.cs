using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>What a row of audit_log means to us.</summary>
internal enum AuditAct
{
    /// <summary>A request like any other.</summary>
    Request,

    /// <summary>A log-in that succeeded.</summary>
    LogIn,

    /// <summary>A log-out.</summary>
    LogOut,
}

/// <summary>A row of audit_log.</summary>
/// <param name="Id">Given when the row was begun; it may become visible after higher ones.</param>
/// <param name="Start">When the request began, by the API's wall clock.</param>
/// <param name="UserId">The user that a token named, or null.</param>
/// <param name="Address">The client's address, or null.</param>
/// <param name="Act">What it means.</param>
/// <param name="Took">How long the request took, whole milliseconds; zero where that does not matter.</param>
internal sealed record AuditRow(long Id, DateTime Start, string? UserId, string? Address, AuditAct Act, TimeSpan Took);

/// <summary>A row of users.</summary>
/// <param name="Id">The primary key.</param>
/// <param name="Name">The username.</param>
/// <param name="CreatedAt">By the API's wall clock, or null.</param>
/// <param name="NameIsTooLong">There is a username, longer than any that is taken.</param>
internal sealed record AccountRow(string Id, string? Name, DateTime? CreatedAt, bool NameIsTooLong = false);

/// <summary>That a user's last log-in was then, by the API's wall clock.</summary>
internal sealed record LastLogin(PlatformUser User, DateTime At);

/// <summary>A row of sessions: good for completing what others tell, and never for what is active (docs/reference/streamspace.md §5.3).</summary>
internal sealed record SessionRow(string Id, string? UserId, string? Template, string? Platform, DateTime? CreatedAt);
