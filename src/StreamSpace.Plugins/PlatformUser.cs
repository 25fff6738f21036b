namespace StreamSpace.Plugins;

/// <summary>A user as far as the platform tells: either part may be unknown.</summary>
/// <param name="Id">The platform's id of the user (<c>users.id</c>), or null.</param>
/// <param name="Name">The username, or null.</param>
public sealed record PlatformUser(string? Id, string? Name)
{
    /// <summary>A user of whom nothing is known.</summary>
    public static PlatformUser Unknown { get; } = new(null, null);
}
