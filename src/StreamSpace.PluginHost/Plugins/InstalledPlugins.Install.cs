using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Packages;

namespace StreamSpace.PluginHost.Plugins;

// How what lies in an archive becomes an installed plugin, or an update of one.
internal sealed partial class InstalledPlugins
{
    private const string Incoming = ".incoming-";

    private readonly SemaphoreSlim _incoming = new(1);

    /// <summary>
    /// Installs what an archive holds, or updates to it: config, switch and data folder stay. A package that is refused
    /// changes nothing.
    /// </summary>
    /// <param name="entry">What the archive should hold.</param>
    /// <param name="download">Writes the archive.</param>
    /// <param name="host">For a new plugin.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PackageException">It is not the plugin that the catalogue names.</exception>
    public async Task<HostedPlugin> InstallAsync(
        CatalogEntry entry,
        Func<Stream, CancellationToken, Task> download,
        HostServices host,
        CancellationToken cancellationToken
    )
    {
        // Whoever waits for an archive keeps nobody from switching a plugin.
        await _incoming.WaitAsync(cancellationToken);
        var folder = host.Settings.PluginsFolder;
        // Beside the plugins, so that moving is renaming; a dot keeps it from being taken for one.
        var incoming = Path.Combine(folder, $"{Incoming}{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(incoming);
            var unpacked = Path.Combine(incoming, "unpacked");
            await using (var archive = PrivateFiles.Open(Path.Combine(incoming, "archive"), FileMode.CreateNew))
            {
                await download(archive, cancellationToken);
                archive.Position = 0;
                await PluginPackage.UnpackAsync(archive, unpacked, cancellationToken);
            }
            return await LayAsync(Root(unpacked), entry, host, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PackageException(
                $"It could not be laid into the plugins folder: {SafeErrorText.Of(e, incoming, folder)}",
                e
            );
        }
        finally
        {
            DeleteIfThere(incoming);
            _incoming.Release();
        }
    }

    /// <summary>Puts right what a crash in the middle of an installation, or of its opposite, has left.</summary>
    public static void Recover(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        foreach (var aside in Directory.EnumerateDirectories(folder, ".before-*").ToList())
        {
            var plugin = Path.Combine(folder, Path.GetFileName(aside)[".before-".Length..]);
            if (Directory.Exists(plugin))
            {
                Directory.Delete(aside, recursive: true);
            }
            else
            {
                Directory.Move(aside, plugin);
            }
        }
        foreach (var left in (string[])[Incoming, Removed])
        {
            foreach (var leftover in Directory.EnumerateDirectories(folder, $"{left}*").ToList())
            {
                Directory.Delete(leftover, recursive: true);
            }
        }
    }

    // Flat, or with one folder around it.
    private static string Root(string unpacked) =>
        !File.Exists(Path.Combine(unpacked, "manifest.json"))
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

    private async Task<HostedPlugin> LayAsync(
        string root,
        CatalogEntry entry,
        HostServices host,
        CancellationToken cancellationToken
    )
    {
        Verify(root, entry);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (All.FirstOrDefault(p => p.Name == entry.Name) is { } before)
            {
                await UpdateAsync(before, root, entry, cancellationToken);
                return before;
            }
            var folder = Path.Combine(host.Settings.PluginsFolder, entry.Name);
            return await AddAsync(root, folder, host, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<HostedPlugin> AddAsync(
        string root,
        string folder,
        HostServices host,
        CancellationToken cancellationToken
    )
    {
        // Of a plugin of this name that was removed by hand: not for a package that is refused to take along.
        var hadData = Directory.Exists(Path.Combine(host.Data.Path, Path.GetFileName(folder)));
        Directory.Move(root, folder);
        var plugin = plugins.Add(folder, host);
        await plugin.LoadAsync(cancellationToken);
        if (plugin.State is PluginState.Failed or PluginState.Isolated)
        {
            plugins.Remove(plugin);
            Serve();
            if (hadData)
            {
                Directory.Delete(folder, recursive: true);
            }
            else
            {
                Forget(plugin, folder, host);
            }
            throw new PackageException($"It is {plugin.Detail}");
        }
        await SettleAsync(plugin, cancellationToken);
        return plugin;
    }

    // The version before comes back when the new one cannot be loaded.
    private async Task UpdateAsync(
        HostedPlugin plugin,
        string root,
        CatalogEntry entry,
        CancellationToken cancellationToken
    )
    {
        var before = plugin.Manifest?.Version;
        var aside = Aside(plugin.Folder);
        await ExchangeAsync(
            plugin,
            () =>
            {
                MoveIfThere(plugin.Folder, aside);
                try
                {
                    Directory.Move(root, plugin.Folder);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    MoveIfThere(aside, plugin.Folder);
                    throw;
                }
            },
            cancellationToken
        );
        if (plugin.State is PluginState.Failed or PluginState.Isolated)
        {
            var why = plugin.Detail;
            var back = Directory.Exists(aside) ? $" Version {before} is back." : "";
            await ExchangeAsync(
                plugin,
                () =>
                {
                    Directory.Delete(plugin.Folder, recursive: true);
                    MoveIfThere(aside, plugin.Folder);
                },
                cancellationToken
            );
            throw new PackageException($"Version {entry.Version} is {why}{back}");
        }
        DeleteIfThere(aside);
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Somebody may have removed it under our feet.
    private static void MoveIfThere(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
    }

    private static string Aside(string folder) =>
        Path.Combine(Path.GetDirectoryName(folder)!, $".before-{Path.GetFileName(folder)}");
}
