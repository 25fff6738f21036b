using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using StreamSpace.Platform.Feed;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// One folder in <c>plugins/</c> and what became of it. Nothing a plugin does wrong leaves this class as anything
/// but a state and a sentence. Its plugin is asked for one thing at a time.
/// </summary>
internal sealed partial class HostedPlugin(string folder, HostServices host) : IDisposable
{
    /// <summary>In how long to ask again for what is only being loaded.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);
    private PluginLog? _log;
    private PluginConfig? _config;
    private readonly PluginBackOff _backOff = new(host.Clock, host.Random);
    private bool _gone;
    private bool _threwOverConfig;

    private PluginInstance? _instance;

    /// <summary>How the sources stand that this plugin hears.</summary>
    public IReadOnlyList<SourceStatus> Sources => host.Sources();

    /// <summary>Where it lies.</summary>
    public string Folder => folder;

    public PluginManifest? Manifest { get; private set; }

    /// <summary>The copy that is there, or that is being loaded.</summary>
    public PluginInstance? Instance => _instance;

    public IPlugin? Plugin => _instance is { IsLoaded: true } instance ? instance.Plugin : null;

    public PluginState State { get; private set; }

    /// <summary>One sentence on <see cref="State"/> for a person; empty while there is nothing to say.</summary>
    public string Detail { get; private set; } = "";

    /// <summary>True while the config that is kept may be a good one, and the plugin was not able to take it.</summary>
    public bool LacksConfig => State is PluginState.Unconfigured && _threwOverConfig;

    /// <summary>What is wrong with the config while none is in force.</summary>
    public IReadOnlyList<ConfigFault> Faults { get; private set; } = [];

    public string Name => Manifest?.Name ?? Path.GetFileName(folder);

    public string? LogFile => _log?.Path;

    /// <summary>Which of its databases were missing when it was loaded, in one sentence; null when none was.</summary>
    public string? Missing { get; private set; }

    /// <summary>True when nothing that this plugin is told can leave the machine.</summary>
    public bool KeepsDataLocal => Ask(plugin => plugin.KeepsDataLocal, nobody: true, broken: _ => false);

    /// <summary>How often it wants levels anew, or null.</summary>
    public TimeSpan? LookEvery => Ask(plugin => plugin.LookEvery, nobody: null, broken: _ => null);

    /// <summary>What the plugin says of itself.</summary>
    public JsonObject Status =>
        Ask(
            plugin => (JsonObject)plugin.Status.DeepClone(),
            nobody: [],
            broken: e => new JsonObject { ["lastError"] = $"The plugin's status failed: {Said(e)}" }
        );

    /// <summary>Null when all is well, else one sentence that says what is not.</summary>
    public string? NotReady =>
        State switch
        {
            PluginState.Running when Subscription?.Health.Error is { } error =>
                $"{Name} cannot take what happens on the platform, which waits for it: {error}",
            PluginState.Running => Ask(plugin => plugin.NotReady, nobody: null, broken: Said),
            PluginState.Disabled => null,
            _ => $"{Name}: {Detail}",
        };

    /// <summary>
    /// Why it does not answer now although it is going to, and when to ask again; null when it answers, or will not.
    /// </summary>
    public (string Why, TimeSpan In)? OnItsWay =>
        State switch
        {
            PluginState.Loading or PluginState.Unloaded => ($"{Name} is being loaded.", Soon),
            PluginState.Isolated or PluginState.Failed when _backOff.Wait is { } wait => ($"{Name}: {Detail}", wait),
            _ when LacksConfig => ($"{Name}: {Detail}", FeedSupervisor.RetryEvery),
            _ => null,
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
            _config = new PluginConfig(manifest, host.Store) { Row = _config?.Row };
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            Fail(Said(e));
        }
    }

    /// <summary>Loads and configures the plugin that <see cref="Find"/> found.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await LoadCopyAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task LoadCopyAsync(CancellationToken cancellationToken)
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
        _log ??= new PluginLog(manifest.Route, host.Settings.LogFolder, host.Data.Folder("logs"), host.Console);
        if (!await IsClosedAsync())
        {
            TryLater("an earlier copy of it has not closed its files, and no two may write to them");
            return;
        }
        try
        {
            LookForDatabases();
            var instance = _instance = new PluginInstance(
                new PluginLoadContext(Path.Combine(folder, manifest.EntryPoint))
            );
            instance.Context.Threw = Isolate;
            var plugin = instance.Plugin = await MakeAsync(instance.Context, manifest);
            var context = new PluginContext(
                manifest,
                host.Data.Folder(Name),
                _log.Logger,
                host.Clock,
                host.Random,
                host.Settings.Environment,
                host.Sandbox,
                host.Sources,
                instance.Ended
            );
            await WithinAsync(() => plugin.LoadAsync(context, cancellationToken).AsTask(), "loading");
            instance.IsLoaded = true;
            _undelivered = null;
        }
        catch (PluginTimeoutException)
        {
            return;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LetGo(_instance);
            _log.Logger.LogError(e, "{Plugin} could not be loaded.", Name);
            Fail(Said(e));
            Postpone(Said(e));
            return;
        }
        await BeginAsync(_config, cancellationToken);
        if (Plugin is not null)
        {
            _backOff.Succeed();
        }
    }

    /// <summary>Lets the plugin map its endpoints; what it throws is thrown here.</summary>
    public void MapEndpoints(IEndpointRouteBuilder routes)
    {
        var fault = Ask(
            plugin =>
            {
                plugin.MapEndpoints(routes);
                return null;
            },
            nobody: null,
            broken: e => e
        );
        if (fault is not null)
        {
            throw new InvalidOperationException(Said(fault), fault);
        }
    }

    /// <summary>Notes that the plugin runs without its endpoints.</summary>
    public void Mute(string why)
    {
        Detail = why;
        _log?.Logger.LogError("{Plugin}: {Detail}", Name, why);
    }

    /// <summary>Removes its log files. To be called once it is disposed.</summary>
    public void RemoveLogs() => _log?.Remove();

    // The turn stays: somebody may wait for it, and needs the answer that there is nothing more to come.
    public void Dispose() => _log?.Dispose();

    // From here on the plugin is loaded, whatever its config does: an operator can mend that.
    private async Task BeginAsync(PluginConfig config, CancellationToken cancellationToken)
    {
        try
        {
            await ConfigureAsync(config.Read(), cancellationToken);
            _threwOverConfig = false;
            RememberDatabases();
            if (config.SecretsLost)
            {
                Detail = "its stored secrets cannot be decrypted, for the key ring is another: set them again.";
                _log!.Logger.LogWarning("{Plugin}: {Detail}", Name, Detail);
            }
        }
        catch (PluginTimeoutException)
        {
            // Isolated, which says it all.
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            if (!LacksConfig)
            {
                _log!.Logger.LogError(e, "{Plugin} failed over its config; it is tried again until it works.", Name);
            }
            _threwOverConfig = true;
            (State, Detail) = (PluginState.Unconfigured, $"it failed over its config: {Said(e)}");
        }
    }

    /// <summary>Gives a plugin that threw over its first config that config once more; true when it runs then.</summary>
    public async Task<bool> BeginAgainAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // Somebody may have configured it, or let it go.
            if (LacksConfig)
            {
                await BeginAsync(_config!, cancellationToken);
            }
            return State is PluginState.Running;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Notes that the plugin is wanted; whether it runs is for <see cref="ExchangeAsync"/> to see to.</summary>
    public void Enable() => _config!.Enabled = true;

    private IEnumerable<string> Databases() =>
        Directory.EnumerateFiles(host.Data.Folder(Name), "*.db").Select(file => Path.GetFileName(file));

    private void LookForDatabases()
    {
        var missing = host.Store.Databases(Name).Except(Databases()).ToList();
        Missing =
            missing.Count == 0
                ? null
                : $"{string.Join(", ", missing)} was there when {Name} ran last, and is missing: what it held and had not delivered is lost, nobody knows how much.";
        if (Missing is not null)
        {
            _log!.Logger.LogError("{Missing}", Missing);
        }
    }

    private void RememberDatabases()
    {
        try
        {
            host.Store.SaveDatabases(Name, Databases());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            // The next start remembers what there was before.
            _log!.Logger.LogWarning("Which databases {Plugin} has could not be kept: {Why}", Name, Said(e));
        }
    }

    private string Said(Exception e) => SafeErrorText.Of(e, folder, host.Settings.PluginsFolder, host.Data.Path);

    private void Fail(string why) => (State, Detail) = (PluginState.Failed, $"not loaded: {why}");
}
