using Microsoft.Data.Sqlite;

namespace StreamSpace.PluginHost.Data;

/// <summary>The databases in a plugin's data folder: one that was there when it ran last, and is missing, is told.</summary>
internal sealed class KnownDatabases(HostStore store, DataFolder data, string plugin)
{
    /// <summary>Which were missing when the plugin was loaded, in one sentence; null when none was.</summary>
    public string? Missing { get; private set; }

    /// <summary>To be called before the plugin is loaded, which makes new ones.</summary>
    public void Look(ILogger logger)
    {
        var missing = store.Databases(plugin).Except(There()).ToList();
        Missing =
            missing.Count == 0
                ? null
                : $"{string.Join(", ", missing)} was there when {plugin} ran last, and is missing: what it held and had not delivered is lost, nobody knows how much.";
        if (Missing is not null)
        {
            logger.LogError("{Missing}", Missing);
        }
    }

    /// <summary>To be called once the plugin has its own.</summary>
    public void Remember(ILogger logger)
    {
        try
        {
            store.SaveDatabases(plugin, There());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            // The next start remembers what there was before.
            logger.LogWarning(
                "Which databases {Plugin} has could not be kept: {Why}",
                plugin,
                SafeErrorText.Of(e, data.Path)
            );
        }
    }

    private IEnumerable<string> There() =>
        Directory.EnumerateFiles(data.Folder(plugin), "*.db").Select(file => Path.GetFileName(file));
}
