using AgentlessDatadog.Sandbox;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Web;

namespace StreamSpace.PluginHost.Startup;

/// <summary>The sandbox in this process, unless the operator wants none.</summary>
internal sealed class EmbeddedSandbox(
    HostSettings settings,
    AccessTokens tokens,
    TimeProvider clock,
    ILoggerFactory loggers
) : IAsyncDisposable
{
    private SandboxServer? _server;

    /// <summary>Where it is, once it has started; null when there is none.</summary>
    public Uri? Address => _server is { } server ? ListenAddress.From(server.Addresses[0]) : null;

    /// <summary>Starts it. Where others can reach it, it is behind our sign-in.</summary>
    /// <exception cref="StartupException">An address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.SandboxUrls.Count == 0)
        {
            return;
        }
        var isOpen = settings.SandboxUrls.All(ListenAddress.IsLoopback);
        var options = new SandboxOptions
        {
            Urls = settings.SandboxUrls,
            PublicUrl = settings.PublicUrl,
            Gate = isOpen ? null : http => AccessRules.AccessOf(http.Request, tokens),
            Listener = Connections.ToSandbox,
        };
        try
        {
            _server = await SandboxServer.StartAsync(options, clock, loggers, cancellationToken);
        }
        catch (Exception e) when (ListenAddress.IsAddressError(e))
        {
            throw ListenAddress.CannotListen(settings.SandboxUrls, "--sandbox-urls", e);
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
