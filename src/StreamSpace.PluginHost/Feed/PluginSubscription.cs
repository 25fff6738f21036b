using StreamSpace.Platform.Feed;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Feed;

/// <summary>
/// How one copy of a plugin is told what is true on the platform and what happens; the copy after it has a subscription of
/// its own. Invented data never reaches a plugin that sends things elsewhere.
/// </summary>
internal sealed class PluginSubscription(PluginSlot plugin, PluginInstance copy) : ISubscriber
{
    private bool _isFailing;

    public string Name => plugin.Name;

    /// <inheritdoc/>
    /// <exception cref="SubscriberGoneException">The copy is not in force any more.</exception>
    public async ValueTask ApplyAsync(PlatformState state, CancellationToken cancellationToken) =>
        await TellAsync(
            state.IsDemo,
            told =>
            {
                told.Apply(state);
                return Task.CompletedTask;
            },
            "taking what is true",
            cancellationToken
        );

    /// <inheritdoc/>
    /// <exception cref="SubscriberGoneException">The copy is not in force any more: the facts are for the next one.</exception>
    public async ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken) =>
        await TellAsync(
            batch.IsDemo,
            told => told.HandleAsync(batch, cancellationToken).AsTask(),
            "taking facts",
            cancellationToken
        );

    private async Task TellAsync(
        bool isDemo,
        Func<IPlugin, Task> tell,
        string what,
        CancellationToken cancellationToken
    )
    {
        using var turn = await plugin.Turn.TakeAsync(cancellationToken);
        try
        {
            await plugin.CallAsync(
                copy,
                told => isDemo && !plugin.KeepsDataLocal ? Task.CompletedTask : tell(told),
                what
            );
            _isFailing = false;
        }
        // The next copy begins where this one was.
        catch (PluginIsolatedException)
        {
            throw new SubscriberGoneException();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Once with all that there is to know: it may fail at the same again and again.
            if (!_isFailing)
            {
                plugin.Log?.Logger.LogError(e, "{Plugin} fails at {What}.", Name, what);
            }
            _isFailing = true;
            throw new InvalidOperationException(plugin.ErrorText(e), e);
        }
    }
}
