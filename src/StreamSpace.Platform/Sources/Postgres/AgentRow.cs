namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>A row of agents that an admin has approved.</summary>
/// <param name="Id">What the agent calls itself.</param>
/// <param name="Platform"><c>kubernetes</c>, <c>docker</c> …</param>
/// <param name="Connected">StreamSpace says that it is connected.</param>
/// <param name="HeardAt">When it was heard last, by the API's wall clock, or null.</param>
internal sealed record AgentRow(string Id, string? Platform, bool Connected, DateTime? HeardAt);
