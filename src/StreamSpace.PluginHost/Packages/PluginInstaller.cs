using NamedFiles;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Packages;

/// <summary>Makes an installed plugin, or an update of one, of what the catalogue offers. One at a time.</summary>
internal sealed class PluginInstaller(
    PluginCatalog catalog,
    PluginSet plugins,
    PluginLifecycle lifecycle,
    PluginUninstaller uninstaller,
    HostServices host
)
{
    private readonly Turn _incoming = new();

    /// <summary>
    /// Installs an entry, or updates to it: config, switch and data folder stay. A package that is refused changes nothing.
    /// </summary>
    /// <exception cref="CatalogException">Its archive is away or too large.</exception>
    /// <exception cref="PackageException">It is not the plugin that the catalogue names.</exception>
    public async Task<PluginSlot> InstallAsync(CatalogEntry entry, CancellationToken cancellationToken)
    {
        // Whoever waits for an archive keeps nobody from switching a plugin.
        using var turn = await _incoming.TakeAsync(cancellationToken);
        var folder = host.Settings.PluginsFolder;
        var incoming = PluginsFolder.NewIncoming(folder);
        try
        {
            Directory.CreateDirectory(incoming);
            var unpacked = Path.Combine(incoming, "unpacked");
            await using (var archive = PrivateFiles.Open(Path.Combine(incoming, "archive"), FileMode.CreateNew))
            {
                await catalog.DownloadAsync(entry, archive, cancellationToken);
                archive.Position = 0;
                await PluginPackage.UnpackAsync(archive, unpacked, cancellationToken);
            }
            return await InstallAsync(Root(unpacked), entry, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PackageException(
                $"It could not be put into the plugins folder: {SafeErrorText.Of(e, incoming, folder)}",
                e
            );
        }
        finally
        {
            PluginsFolder.Delete(incoming);
        }
    }

    // Flat, or with one folder around it.
    private static string Root(string unpacked) =>
        !PluginFolder.IsPlugin(unpacked)
        && Directory.GetFileSystemEntries(unpacked) is [var only]
        && Directory.Exists(only)
            ? only
            : unpacked;

    private static void Verify(string root, CatalogEntry entry)
    {
        try
        {
            var manifest = PluginFolder.ReadManifest(root);
            if (manifest.Name != entry.Name || manifest.Version != entry.Version)
            {
                throw new PackageException(
                    $"It holds {manifest.Name} {manifest.Version}, not {entry.Name} {entry.Version} as the catalogue says."
                );
            }
        }
        catch (FormatException e)
        {
            throw new PackageException(e.Message, e);
        }
    }

    private async Task<PluginSlot> InstallAsync(string root, CatalogEntry entry, CancellationToken cancellationToken)
    {
        Verify(root, entry);
        using var turn = await lifecycle.TakeTurnAsync(cancellationToken);
        if (plugins.All.FirstOrDefault(p => p.Name == entry.Name) is { } before)
        {
            await UpdateAsync(before, root, entry, cancellationToken);
            return before;
        }
        return await AddAsync(root, Path.Combine(host.Settings.PluginsFolder, entry.Name), cancellationToken);
    }

    private async Task<PluginSlot> AddAsync(string root, string folder, CancellationToken cancellationToken)
    {
        // Of a plugin of this name that was removed by hand: not for a package that is refused to take along.
        var hadData = Directory.Exists(Path.Combine(host.Data.Path, Path.GetFileName(folder)));
        Directory.Move(root, folder);
        var plugin = plugins.Add(folder, host);
        await plugin.LoadAsync(cancellationToken);
        if (plugin.State.Phase is PluginPhase.Failed or PluginPhase.Isolated)
        {
            plugins.Remove(plugin);
            plugins.NotifyChanged();
            if (hadData)
            {
                Directory.Delete(folder, recursive: true);
            }
            else
            {
                uninstaller.DeleteAll(plugin, folder);
            }
            throw new PackageException($"It is {plugin.State.Detail}");
        }
        await lifecycle.SettleAsync(plugin, cancellationToken);
        return plugin;
    }

    // The version before comes back when the new one cannot be loaded.
    private async Task UpdateAsync(
        PluginSlot plugin,
        string root,
        CatalogEntry entry,
        CancellationToken cancellationToken
    )
    {
        var version = plugin.Manifest?.Version;
        var before = PluginsFolder.BeforeOf(plugin.Folder);
        await lifecycle.ExchangeAsync(
            plugin,
            () =>
            {
                PluginsFolder.Move(plugin.Folder, before);
                try
                {
                    Directory.Move(root, plugin.Folder);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    PluginsFolder.Move(before, plugin.Folder);
                    throw;
                }
            },
            cancellationToken
        );
        if (plugin.State.Phase is PluginPhase.Failed or PluginPhase.Isolated)
        {
            var why = plugin.State.Detail;
            var back = Directory.Exists(before) ? $" Version {version} is back." : "";
            await lifecycle.ExchangeAsync(
                plugin,
                () =>
                {
                    Directory.Delete(plugin.Folder, recursive: true);
                    PluginsFolder.Move(before, plugin.Folder);
                },
                cancellationToken
            );
            throw new PackageException($"Version {entry.Version} is {why}{back}");
        }
        PluginsFolder.Delete(before);
    }
}
