namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>A row of users.</summary>
/// <param name="Id">The primary key.</param>
/// <param name="Name">The username.</param>
/// <param name="CreatedAt">By the API's wall clock, or null.</param>
/// <param name="NameIsTooLong">There is a username, longer than any that is taken.</param>
internal sealed record UserRow(string Id, string? Name, DateTime? CreatedAt, bool NameIsTooLong = false);
