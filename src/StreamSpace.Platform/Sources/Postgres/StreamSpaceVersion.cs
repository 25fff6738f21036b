namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Whose tables they are, as far as they differ (docs/reference/streamspace.md §8.1).</summary>
internal enum StreamSpaceVersion
{
    /// <summary>0.2: rows of sessions are not closed, and only describe.</summary>
    V1,

    /// <summary>The one with agents: a session's row is the request, and tells how it stands.</summary>
    V2,
}
