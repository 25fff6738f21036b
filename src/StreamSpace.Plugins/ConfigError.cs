namespace StreamSpace.Plugins;

/// <summary>One thing that is wrong with a config.</summary>
/// <param name="Key">The config key or environment variable it is about. Never its value: that may be a secret.</param>
/// <param name="Message">What is wrong, what is allowed, and the nearest known name for an unknown key.</param>
public sealed record ConfigError(string Key, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Key}: {Message}";
}
