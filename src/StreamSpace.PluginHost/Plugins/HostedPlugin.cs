using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>
/// One folder in <c>plugins/</c> and what became of it. Nothing a plugin does wrong leaves this class as anything
/// but a state and a sentence. Its plugin is asked for one thing at a time.
/// </summary>
internal sealed partial class HostedPlugin(string folder, PluginSurroundings surroundings) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private PluginLog? _log;
    private PluginConfig? _config;
    private DateTimeOffset? _failingSince;

    // Held here: a collectible context that nobody holds begins to unload, and then loads nothing more.
    private PluginLoadContext? _context;

    /// <summary>How the sources stand that this plugin hears.</summary>
    public IReadOnlyList<SourceStatus> Sources => surroundings.Sources();

    /// <summary>Where it lies.</summary>
    public string Folder => folder;

    public PluginManifest? Manifest { get; private set; }

    public IPlugin? Plugin { get; private set; }

    public PluginState State { get; private set; }

    /// <summary>One sentence on <see cref="State"/> for a person; empty while there is nothing to say.</summary>
    public string Detail { get; private set; } = "";

    /// <summary>What is wrong with the config while none is in force.</summary>
    public IReadOnlyList<ConfigFault> Faults { get; private set; } = [];

    public string Name => Manifest?.Name ?? Path.GetFileName(folder);

    /// <summary>Why it hears no platform events although it should, or null.</summary>
    public string? Deaf { get; set; }

    public string? LogFile => _log?.Path;

    /// <summary>True when nothing that this plugin is told can leave the machine.</summary>
    public bool KeepsDataLocal => Ask(plugin => plugin.KeepsDataLocal, nobody: true, broken: _ => false);

    /// <summary>How often it wants levels anew, or null.</summary>
    public TimeSpan? LookEvery => Ask(plugin => plugin.LookEvery, nobody: null, broken: _ => null);

    /// <summary>The config in force, secrets left out by the plugin and once more by the schema.</summary>
    public JsonObject Config =>
        Manifest!.ConfigSchema.WithoutSecrets(Ask(plugin => plugin.Config, nobody: [], broken: _ => []));

    /// <summary>What the plugin says of itself.</summary>
    public JsonObject Status =>
        Ask(
            plugin => (JsonObject)plugin.Status.DeepClone(),
            nobody: [],
            broken: e => new JsonObject { ["lastError"] = $"The plugin's status failed: {e.Message}" }
        );

    /// <summary>Null when all is well, else one sentence that says what is not.</summary>
    public string? NotReady =>
        State switch
        {
            PluginState.Running when _failingSince is not null => $"{Name}: {Detail}",
            PluginState.Running => Deaf ?? Ask(plugin => plugin.NotReady, nobody: null, broken: e => e.Message),
            PluginState.Disabled => null,
            _ => $"{Name}: {Detail}",
        };

    /// <summary>Reads the manifest; <paramref name="isTaken"/> tells whether another plugin has its route.</summary>
    public void Find(Func<string, bool> isTaken)
    {
        try
        {
            var manifest = PluginFolder.ReadManifest(folder);
            if (isTaken(manifest.Route))
            {
                Fail($"another folder already holds a plugin for /api/plugins/{manifest.Route}.");
                return;
            }
            Manifest = manifest;
            _config = new PluginConfig(manifest, surroundings.Store);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            Fail(e.Message);
        }
    }

    /// <summary>Loads and configures the plugin that <see cref="Find"/> found.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (Manifest is not { } manifest)
        {
            return;
        }
        if (!_config!.Enabled)
        {
            (State, Detail) = (PluginState.Disabled, "switched off.");
            return;
        }
        _log ??= new PluginLog(
            manifest.Route,
            surroundings.Settings.LogFolder,
            surroundings.Data.Folder("logs"),
            surroundings.Console
        );
        try
        {
            _context = new PluginLoadContext(Path.Combine(folder, manifest.EntryPoint));
            var plugin = PluginFolder.MakePlugin(_context, folder, manifest);
            var context = new PluginContext(
                manifest,
                surroundings.Data.Folder(Name),
                _log.Logger,
                surroundings.Clock,
                surroundings.Chance,
                surroundings.Settings.Environment,
                surroundings.Sandbox,
                surroundings.Sources
            );
            await WithinAsync(() => plugin.LoadAsync(context, cancellationToken).AsTask(), "loading");
            Plugin = plugin;
        }
        catch (PluginHangsException)
        {
            return;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LetGo();
            _log.Logger.LogError(e, "{Plugin} could not be loaded.", Name);
            Fail(e.Message);
            return;
        }
        await BeginAsync(_config, cancellationToken);
    }

    /// <summary>Gives the plugin a batch. Invented data never reaches a plugin that sends things elsewhere.</summary>
    public async ValueTask HandleAsync(PlatformBatch batch, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (Plugin is { } plugin && (!batch.Demo || KeepsDataLocal))
            {
                await WithinAsync(() => plugin.HandleAsync(batch, cancellationToken).AsTask(), "taking a batch");
                Detail = _failingSince is null ? Detail : "";
                _failingSince = null;
            }
        }
        catch (PluginHangsException)
        {
            // Isolated: nothing is asked of it any more, and nobody waits for it.
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // It comes again: a plugin may be unable for a while. But not for ever while others wait for their events.
            var now = surroundings.Clock.GetUtcNow();
            _failingSince ??= now;
            Detail = $"it fails to take a batch, which comes again: {e.Message}";
            if (now - _failingSince < surroundings.Settings.CallLimit || !surroundings.OthersWait(this))
            {
                throw;
            }
            Isolate(
                $"it failed to take a batch for {surroundings.Settings.CallLimit.TotalSeconds:0.#} s while others waited: {e.Message}"
            );
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Notes that the plugin runs without its endpoints.</summary>
    public void Mute(string why)
    {
        Detail = why;
        _log?.Logger.LogError("{Plugin}: {Detail}", Name, why);
    }

    /// <summary>Lets the plugin end its work until <paramref name="deadline"/> fires.</summary>
    public async Task UnloadAsync(CancellationToken deadline)
    {
        if (Plugin is { } plugin)
        {
            Plugin = null;
            try
            {
                // A plugin that looks at no deadline is not waited for any longer than one that does.
                await plugin.UnloadAsync(deadline).AsTask().WaitAsync(deadline);
            }
            catch (Exception e)
            {
                _log!.Logger.LogError(e, "{Plugin} did not unload as it should.", Name);
            }
            LetGo();
            (State, Detail) = (PluginState.Unloaded, "Unloaded.");
        }
    }

    public void Dispose()
    {
        _log?.Dispose();
        _turn.Dispose();
    }

    // From here on the plugin is loaded, whatever its config does: an operator can mend that.
    private async Task BeginAsync(PluginConfig config, CancellationToken cancellationToken)
    {
        try
        {
            await ConfigureAsync(config.Read(), cancellationToken);
            if (config.SecretsLost)
            {
                Detail = "its stored secrets cannot be decrypted, for the key ring is another: set them again.";
                _log!.Logger.LogWarning("{Plugin}: {Detail}", Name, Detail);
            }
        }
        catch (Exception e) when (e is not PluginHangsException && !cancellationToken.IsCancellationRequested)
        {
            _log!.Logger.LogError(e, "{Plugin} failed over its config.", Name);
            (State, Detail) = (PluginState.Unconfigured, $"it failed over its config: {e.Message}");
        }
    }

    /// <summary>Lets the plugin go, and says why it is off; what it has kept stays.</summary>
    public async Task SwitchOffAsync(CancellationToken deadline)
    {
        _config!.Enabled = false;
        await StopAsync(deadline);
        (State, Detail) = (PluginState.Disabled, "switched off.");
    }

    /// <summary>Unloads the plugin after the batch it is at: the two are never asked for at once.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        var alone = await _turn.WaitAsync(Patience, CancellationToken.None);
        try
        {
            await UnloadAsync(deadline);
        }
        finally
        {
            if (alone)
            {
                _turn.Release();
            }
        }
    }

    /// <summary>Loads the plugin that was off, or that failed.</summary>
    public Task SwitchOnAsync(CancellationToken cancellationToken)
    {
        _config!.Enabled = true;
        (State, Detail, Faults) = (PluginState.Loading, "", []);
        return LoadAsync(cancellationToken);
    }

    private void LetGo()
    {
        _context?.Unload();
        _context = null;
    }

    // A plugin may throw at any question.
    private T Ask<T>(Func<IPlugin, T> question, T nobody, Func<Exception, T> broken)
    {
        try
        {
            return Plugin is { } plugin ? question(plugin) : nobody;
        }
        catch (Exception e)
        {
            return broken(e);
        }
    }

    private void Fail(string why) => (State, Detail) = (PluginState.Failed, $"not loaded: {why}");
}
