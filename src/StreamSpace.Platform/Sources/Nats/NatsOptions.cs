namespace StreamSpace.Platform.Sources.Nats;

/// <summary>How to reach NATS.</summary>
/// <param name="Url">One or more servers, parted by commas: <c>nats://host:4222</c>, or <c>tls://</c>.</param>
/// <param name="User">The user, or null for none.</param>
/// <param name="Password">The password, or null.</param>
public sealed record NatsOptions(string Url, string? User, string? Password)
{
    /// <summary>Tells nothing: any part may hold a credential.</summary>
    public override string ToString() => nameof(NatsOptions);
}
