namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Where the reading of sessions goes on.</summary>
/// <param name="After">The id that the page before ended with; empty at the begin of a round.</param>
/// <param name="Since">Rows that were changed since then are wanted, too, by the API's wall clock; null for none.</param>
/// <param name="PageSize">Rows of a page.</param>
internal sealed record SessionsCursor(string After, DateTime? Since, int PageSize);
