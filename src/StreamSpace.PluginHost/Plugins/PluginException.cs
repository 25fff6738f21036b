namespace StreamSpace.PluginHost.Plugins;

/// <summary>A plugin cannot do what was asked of it; the message is a sentence for whoever asked.</summary>
/// <param name="status">The status of the answer over HTTP.</param>
/// <param name="message">Says which plugin, and why.</param>
/// <param name="inner">What the plugin threw.</param>
internal class PluginException(int status, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The status of the answer over HTTP.</summary>
    public int Status => status;

    /// <summary>It was uninstalled while its caller waited.</summary>
    public static PluginException Gone(string name) =>
        new(StatusCodes.Status404NotFound, $"{name} has been uninstalled meanwhile.");
}

/// <summary>A plugin did not come back from a call in time, and was isolated.</summary>
internal sealed class PluginTimeoutException(string message)
    : PluginException(StatusCodes.Status503ServiceUnavailable, message);
