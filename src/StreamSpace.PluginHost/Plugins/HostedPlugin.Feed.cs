using StreamSpace.Platform.Feed;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

// How a plugin is told what is true on the platform and what happens.
internal sealed partial class HostedPlugin
{
    private bool _isFailing;

    /// <summary>Its way along the log of facts, or null while it has none.</summary>
    public Subscription? Subscription { get; set; }

    /// <summary>Tells one copy what is true. Invented data never reaches a plugin that sends things elsewhere.</summary>
    /// <exception cref="SubscriberGoneException">The copy has been let go of.</exception>
    public async ValueTask ApplyAsync(
        PluginInstance instance,
        PlatformState state,
        CancellationToken cancellationToken
    ) =>
        await TellAsync(
            instance,
            state.IsDemo,
            plugin =>
            {
                plugin.Apply(state);
                return Task.CompletedTask;
            },
            "taking what is true",
            cancellationToken
        );

    /// <summary>Tells one copy what happened; returning means that it is kept.</summary>
    /// <exception cref="SubscriberGoneException">The copy has been let go of: the facts are for the next one.</exception>
    public async ValueTask HandleAsync(PluginInstance instance, FactBatch batch, CancellationToken cancellationToken) =>
        await TellAsync(
            instance,
            batch.IsDemo,
            plugin => plugin.HandleAsync(batch, cancellationToken).AsTask(),
            "taking facts",
            cancellationToken
        );

    private async Task TellAsync(
        PluginInstance instance,
        bool isDemo,
        Func<IPlugin, Task> tell,
        string what,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (instance != _instance || Plugin is not { } plugin)
            {
                throw new SubscriberGoneException();
            }
            if (!isDemo || KeepsDataLocal)
            {
                await WithinAsync(() => tell(plugin), what);
            }
            _isFailing = false;
        }
        // Isolated: the next copy begins where this one was.
        catch (PluginTimeoutException)
        {
            throw new SubscriberGoneException();
        }
        catch (Exception e) when (e is not SubscriberGoneException && !cancellationToken.IsCancellationRequested)
        {
            // Once with all that there is to know: it may fail at the same again and again.
            if (!_isFailing)
            {
                _log?.Logger.LogError(e, "{Plugin} fails at {What}.", Name, what);
            }
            _isFailing = true;
            throw new InvalidOperationException(Said(e), e);
        }
        finally
        {
            _turn.Release();
        }
    }
}
