namespace StreamSpace.PluginHost.Plugins;

/// <summary>A plugin cannot do what was asked of it; the message is a sentence for whoever asked.</summary>
/// <param name="status">The status of the answer over HTTP.</param>
/// <param name="message">Says which plugin, and why.</param>
/// <param name="inner">What the plugin threw.</param>
internal class PluginException(int status, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The status of the answer over HTTP.</summary>
    public int Status => status;

    /// <summary>It is at something else for too long.</summary>
    public static PluginException Busy(string name) =>
        new(
            StatusCodes.Status503ServiceUnavailable,
            $"{name} is busy with something else; nothing was changed. Try again."
        );

    /// <summary>It threw over a config, or cannot take one now.</summary>
    public static PluginException OverConfig(string name, string error, Exception thrown) =>
        thrown is IOException
            ? new(
                StatusCodes.Status503ServiceUnavailable,
                $"{name} cannot take a config now, and this one was not kept: {error}",
                thrown
            )
            : new(
                StatusCodes.Status500InternalServerError,
                $"{name} failed over this config, which was not kept: {error}",
                thrown
            );

    /// <summary>It was uninstalled while its caller waited.</summary>
    public static PluginException Gone(string name) =>
        new(StatusCodes.Status404NotFound, $"{name} has been uninstalled meanwhile.");
}

/// <summary>The copy of a plugin that was called is isolated, or not in force any more.</summary>
internal sealed class PluginIsolatedException(string message)
    : PluginException(StatusCodes.Status503ServiceUnavailable, message);
