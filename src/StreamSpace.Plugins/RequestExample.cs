namespace StreamSpace.Plugins;

/// <summary>
/// Endpoint metadata: a body that the endpoint would accept, shown in the host's OpenAPI document. Attach it with
/// <c>WithMetadata</c>.
/// </summary>
/// <param name="Json">JSON text.</param>
public sealed record RequestExample(string Json);
