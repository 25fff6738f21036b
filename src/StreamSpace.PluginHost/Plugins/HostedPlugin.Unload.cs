using System.Globalization;
using StreamSpace.PluginHost.Data;

namespace StreamSpace.PluginHost.Plugins;

// How a plugin is let go of, and what becomes of what it held.
internal sealed partial class HostedPlugin
{
    // Whoever is answered by then notices nothing.
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    // As its last copy said once it had ended; null when none could be asked.
    private IReadOnlyDictionary<string, long>? _undelivered;

    /// <summary>
    /// What would be lost with its data folder, now that it is let go of: in words, or empty for nothing.
    /// </summary>
    public string Undelivered =>
        (_undelivered, Directory.Exists(DataFolder) && Directory.EnumerateFileSystemEntries(DataFolder).Any()) switch
        {
            (_, false) => "",
            (null, _) => "what cannot be known, for it could not be asked",
            var (held, _) => string.Join(
                ", ",
                held.Where(of => of.Value > 0)
                    .Select(of => string.Create(CultureInfo.InvariantCulture, $"{of.Value} {of.Key}"))
            ),
        };

    private string DataFolder => Path.Combine(host.Data.Path, Name);

    /// <summary>Says what is lost with it.</summary>
    public void Discard(string what) =>
        _log?.Logger.LogWarning("{Plugin} was uninstalled before it had delivered all. Discarded: {What}.", Name, what);

    /// <summary>
    /// Lets the plugin end its work until <paramref name="deadline"/> fires, and then put away what it holds; one that
    /// does not come back from that is left behind.
    /// </summary>
    public async Task UnloadAsync(CancellationToken deadline)
    {
        if (_instance is not { } instance)
        {
            return;
        }
        if (instance is { IsLoaded: true, Plugin: { } plugin })
        {
            await EndsWithinAsync(instance.RefuseAsync(), DrainTimeout);
            // Nothing more is asked of it.
            instance.IsLoaded = false;
            _undelivered = null;
            try
            {
                var unloading = Task.Run(() => plugin.UnloadAsync(deadline).AsTask(), CancellationToken.None);
                await unloading.WaitAsync(deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await unloading.WaitAsync(CloseTimeout, host.Clock, CancellationToken.None);
                _undelivered = await Task.Run(() => plugin.Undelivered)
                    .WaitAsync(AnswerTimeout, host.Clock, CancellationToken.None);
            }
            catch (Exception e)
            {
                _log!.Logger.LogError(e, "{Plugin} did not unload as it should.", Name);
            }
        }
        LetGo(instance);
        if (!await IsClosedAsync())
        {
            _log!.Logger.LogError("{Plugin} has not closed what it holds.", Name);
        }
        (State, Detail) = (PluginState.Unloaded, "Unloaded.");
    }

    /// <summary>Lets the plugin go, and says why it is off; what it has kept stays.</summary>
    public async Task SwitchOffAsync(CancellationToken deadline)
    {
        _config!.Enabled = false;
        await StopAsync(deadline);
        _backOff.Forget();
        (State, Detail) = (PluginState.Disabled, "switched off.");
    }

    /// <summary>Unloads the plugin after the batch it is at: the two are never asked for at once.</summary>
    public Task StopAsync(CancellationToken deadline) => AfterItsCallAsync(() => UnloadAsync(deadline));

    /// <summary>Whoever still waits to do something with it is told that it is gone. To be called once it has stopped.</summary>
    public Task EndAsync() =>
        AfterItsCallAsync(() =>
        {
            _gone = true;
            return Task.CompletedTask;
        });

    private async Task AfterItsCallAsync(Func<Task> work)
    {
        // One that does not come back is not waited for.
        var alone = await _turn.WaitAsync(Patience, CancellationToken.None);
        try
        {
            await work();
        }
        finally
        {
            if (alone)
            {
                _turn.Release();
            }
        }
    }
}
