using Microsoft.Data.Sqlite;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Packages;

/// <summary>Removes a plugin: its folder, its data, its config, its log.</summary>
internal sealed class PluginUninstaller(PluginSet plugins, PluginLifecycle lifecycle, HostServices host)
{
    /// <summary>Unloads a plugin, after it has sent what it can, and removes all of it.</summary>
    /// <param name="plugin">Which.</param>
    /// <param name="discard">Whether it goes although it has not delivered all.</param>
    /// <param name="cancellationToken">Gives up waiting for its turn.</param>
    /// <exception cref="PluginException">
    /// It has not delivered all, or its folder cannot be removed, and it stays; or something of it is left.
    /// </exception>
    public async Task UninstallAsync(PluginSlot plugin, bool discard, CancellationToken cancellationToken)
    {
        using var turn = await lifecycle.TakeTurnAsync(cancellationToken);
        lifecycle.Demand(plugin);
        var wasLoaded = plugin.IsLoaded;
        using (var deadline = new CancellationTokenSource(PluginSet.UnloadTimeout, host.Clock))
        {
            await plugin.StopAsync(deadline.Token);
        }
        await lifecycle.SettleAsync(plugin, cancellationToken);
        var undelivered = OwnsItsData(plugin) ? plugin.Undelivered : "";
        if (undelivered.Length > 0 && !discard)
        {
            await TakeBackAsync(plugin, wasLoaded, cancellationToken);
            throw new PluginException(
                StatusCodes.Status409Conflict,
                $"{plugin.Name} stays, for it has not delivered yet: {undelivered}. Its status says what is in the way; to uninstall it all the same and lose that, add ?discard=true."
            );
        }
        var removed = await RemoveFolderAsync(plugin, wasLoaded, cancellationToken);
        await plugin.UninstallAsync(discarded: undelivered);
        plugins.Remove(plugin);
        // Its place in the log of facts goes with it.
        await lifecycle.SettleAsync(plugin, cancellationToken);
        DeleteAll(plugin, removed);
    }

    /// <summary>Deletes what there is of a plugin that is in the set no more; <paramref name="folder"/> is where it lies.</summary>
    /// <exception cref="PluginException">Something is left.</exception>
    public void DeleteAll(PluginSlot plugin, string folder)
    {
        try
        {
            PluginsFolder.Delete(folder);
            if (OwnsItsData(plugin))
            {
                host.Store.RemovePlugin(plugin.Name);
                PluginsFolder.Delete(Path.Combine(host.Data.Path, plugin.Name));
            }
            plugin.Log?.Remove();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new PluginException(
                StatusCodes.Status500InternalServerError,
                $"{plugin.Name} is uninstalled, but something of it is left: {SafeErrorText.Of(e, folder, host.Data.Path)}",
                e
            );
        }
    }

    // By a new name, at once or not at all: what cannot be removed must not be lost by half.
    private async Task<string> RemoveFolderAsync(PluginSlot plugin, bool wasLoaded, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(plugin.Folder)!;
        var removed = PluginsFolder.NewRemoved(folder);
        try
        {
            PluginsFolder.Move(plugin.Folder, removed);
            return removed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await TakeBackAsync(plugin, wasLoaded, cancellationToken);
            throw new PluginException(
                StatusCodes.Status409Conflict,
                $"{plugin.Name} stays, for its folder cannot be removed: {SafeErrorText.Of(e, folder)}",
                e
            );
        }
    }

    private async Task TakeBackAsync(PluginSlot plugin, bool wasLoaded, CancellationToken cancellationToken)
    {
        if (wasLoaded)
        {
            await plugin.LoadAsync(cancellationToken);
            await lifecycle.SettleAsync(plugin, cancellationToken);
        }
    }

    // One that was never loaded may bear a name that is not its own to take along.
    private bool OwnsItsData(PluginSlot plugin) =>
        !PluginFolder.IsOurOwn(plugin.Name) && plugins.All.All(p => p == plugin || p.Name != plugin.Name);
}
