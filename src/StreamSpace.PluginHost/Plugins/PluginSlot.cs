using System.Globalization;
using System.Text.Json.Nodes;
using StreamSpace.Platform.Feed;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// The place of one plugin: a folder in <c>plugins/</c>, the copy of it that is in force, and what became of it. Nothing a
/// plugin does wrong leaves this class as anything but a state and a sentence. Its plugin is asked for one thing at a time.
/// </summary>
internal sealed class PluginSlot : IDisposable
{
    /// <summary>For a turn: one that does not come back is not waited for longer.</summary>
    public static readonly TimeSpan TurnTimeout = TimeSpan.FromSeconds(10);

    private readonly HostServices _host;
    private readonly PluginCallGuard _guard;
    private readonly EarlierCopies _earlier;
    private PluginInstance? _instance;

    // As its last copy said once it had ended; null when none could be asked.
    private IReadOnlyDictionary<string, long>? _undelivered;

    /// <param name="folder">Where it lies.</param>
    /// <param name="host">What the host has for it.</param>
    public PluginSlot(string folder, HostServices host)
    {
        (Folder, _host) = (folder, host);
        _guard = new PluginCallGuard(host.Settings.CallTimeout, host.Clock, Isolate);
        _earlier = new EarlierCopies(host.Clock);
        BackOff = new PluginBackOff(host.Clock, host.Random);
    }

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    /// <summary>What <see cref="Find"/> read, or null when there was none to be used.</summary>
    public PluginManifest? Manifest { get; private set; }

    /// <summary>Its config; null without a manifest.</summary>
    public PluginConfigurator? Configurator { get; private set; }

    /// <summary>When it is tried again, where it has to be.</summary>
    public PluginBackOff BackOff { get; }

    /// <summary>What became of it.</summary>
    public PluginState State
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    } = new(PluginPhase.Loading);

    /// <summary>Whoever asks something of the plugin that is more than a question has the turn.</summary>
    public Turn Turn { get; } = new();

    /// <summary>Its log; null before it is loaded for the first time.</summary>
    public PluginLog? Log { get; private set; }

    /// <summary>The copy that is there, or that is being loaded.</summary>
    public PluginInstance? Instance => _instance;

    /// <summary>True when there is a copy that may be asked.</summary>
    public bool IsLoaded => _instance is { IsLoaded: true };

    /// <summary>Its way along the log of facts, or null while it has none.</summary>
    public Subscription? Subscription { get; set; }

    /// <summary>How the sources stand that this plugin hears.</summary>
    public IReadOnlyList<SourceStatus> Sources => _host.Sources();

    public string Name => Manifest?.Name ?? Path.GetFileName(Folder);

    /// <summary>The databases in its data folder; null without a manifest.</summary>
    public KnownDatabases? Databases { get; private set; }

    /// <summary>True once a copy has run with a config in this process.</summary>
    public bool HasRun { get; set; }

    /// <summary>True when nothing that this plugin is told can leave the machine.</summary>
    public bool KeepsDataLocal => Ask(plugin => plugin.KeepsDataLocal, nobody: true, broken: _ => false);

    /// <summary>How often it wants levels anew, or null.</summary>
    public TimeSpan? LookEvery => Ask(plugin => plugin.LookEvery, nobody: null, broken: _ => null);

    /// <summary>What the plugin says of itself.</summary>
    public JsonObject Status =>
        Ask(
            plugin => (JsonObject)plugin.Status.DeepClone(),
            nobody: [],
            broken: error => new JsonObject { ["lastError"] = $"The plugin's status failed: {error}" }
        );

    /// <summary>One sentence when earlier copies are still in memory, which only a restart frees; else null.</summary>
    public string? RestartWouldFree => _earlier.RestartWouldFree;

    /// <summary>
    /// What would be lost with its data folder, now that it is unloaded: in words, or empty for nothing.
    /// </summary>
    public string Undelivered
    {
        get
        {
            var data = Path.Combine(_host.Data.Path, Name);
            return (_undelivered, Directory.Exists(data) && Directory.EnumerateFileSystemEntries(data).Any()) switch
            {
                (_, false) => "",
                (null, _) => "what cannot be known, for it could not be asked",
                var (held, _) => string.Join(
                    ", ",
                    held.Where(of => of.Value > 0)
                        .Select(of => string.Create(CultureInfo.InvariantCulture, $"{of.Value} {of.Key}"))
                ),
            };
        }
    }

    /// <summary>Asks the copy in force about itself.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="nobody">The answer when there is none that may be asked.</param>
    /// <param name="broken">The answer when it throws, from what is said of that.</param>
    public T Ask<T>(Func<IPlugin, T> question, T nobody, Func<string, T> broken) =>
        _guard.Ask(_instance, question, nobody, e => broken(ErrorText(e)));

    /// <summary>Calls one copy. For whoever has the turn.</summary>
    /// <exception cref="PluginIsolatedException">The copy is not in force any more, or is isolated by this.</exception>
    public Task<T> CallAsync<T>(
        PluginInstance? copy,
        Func<IPlugin, Task<T>> call,
        string what,
        CancellationToken giveUp = default
    ) =>
        copy is { IsLoaded: true, Plugin: { } plugin } && copy == _instance
            ? _guard.CallAsync(copy, () => call(plugin), what, giveUp)
            : throw new PluginIsolatedException($"{Name}: {State.Detail}");

    /// <inheritdoc cref="CallAsync{T}"/>
    public Task CallAsync(PluginInstance? copy, Func<IPlugin, Task> call, string what) =>
        CallAsync(
            copy,
            async plugin =>
            {
                await call(plugin);
                return true;
            },
            what
        );

    /// <summary>Reads the manifest; <paramref name="isTaken"/> tells whether another plugin has its route.</summary>
    public void Find(Func<string, bool> isTaken)
    {
        try
        {
            var manifest = PluginFolder.ReadManifest(Folder);
            if (isTaken(manifest.Route))
            {
                Fail($"another folder already holds a plugin for /api/plugins/{manifest.Route}.");
                return;
            }
            Manifest = manifest;
            Databases = new KnownDatabases(_host.Store, _host.Data, manifest.Name);
            Configurator = new PluginConfigurator(
                this,
                new PluginConfig(manifest, _host.Store, SourceFactory.Database(_host.Settings.Environment) is not null),
                Configurator,
                _host.Settle
            );
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            Fail(ErrorText(e));
        }
    }

    /// <summary>Loads and configures the plugin that <see cref="Find"/> found.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        using var turn = await Turn.TakeAsync(cancellationToken);
        await LoadCopyAsync(cancellationToken);
    }

    /// <summary>
    /// Unloads the plugin, does <paramref name="swap"/>, and loads what lies in the folder then. What happens meanwhile
    /// waits, and is for the new copy. A swap that throws leaves the old files: these are loaded again.
    /// </summary>
    public async Task ExchangeAsync(
        Action swap,
        Func<string, bool> isTaken,
        TimeSpan unloadTimeout,
        CancellationToken cancellationToken
    )
    {
        using var turn = await Turn.TakeAsync(cancellationToken);
        using (var deadline = new CancellationTokenSource(unloadTimeout, _host.Clock))
        {
            await UnloadAsync(deadline.Token);
        }
        try
        {
            swap();
        }
        finally
        {
            State = new(PluginPhase.Loading);
            Find(isTaken);
            if (State.Phase is PluginPhase.Loading)
            {
                await LoadCopyAsync(cancellationToken);
            }
        }
    }

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
        if (instance.IsLoaded)
        {
            _undelivered = null;
            try
            {
                _undelivered = await instance.UnloadAsync(_host.Clock, deadline);
            }
            catch (Exception e)
            {
                Log!.Logger.LogError(e, "{Plugin} did not unload as it should.", Name);
            }
        }
        Retire(instance);
        if (!await _earlier.AreClosedAsync())
        {
            Log!.Logger.LogError("{Plugin} has not closed what it holds.", Name);
        }
        State = new(PluginPhase.Unloaded, "Unloaded.");
    }

    /// <summary>Unloads the plugin after the call it is at: the two are never asked for at once.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        using var turn = await Turn.TakeAsync(TurnTimeout, CancellationToken.None);
        await UnloadAsync(deadline);
    }

    /// <summary>Unloads the plugin, and says why it is off; what it has kept stays.</summary>
    public async Task DisableAsync(CancellationToken deadline)
    {
        Configurator!.Config.Enabled = false;
        await StopAsync(deadline);
        BackOff.Reset();
        State = new(PluginPhase.Disabled, "switched off.");
    }

    /// <summary>Whoever still waits to do something with it is told that it is gone. To be called once it has stopped.</summary>
    /// <param name="discarded">What is lost with it, in words; empty for nothing.</param>
    public async Task UninstallAsync(string discarded)
    {
        if (discarded.Length > 0)
        {
            Log?.Logger.LogWarning(
                "{Plugin} was uninstalled before it had delivered all. Discarded: {What}.",
                Name,
                discarded
            );
        }
        using var turn = await Turn.TakeAsync(TurnTimeout, CancellationToken.None);
        State = new(PluginPhase.Uninstalled, "Uninstalled.");
    }

    /// <summary>Notes that the plugin runs without its endpoints.</summary>
    public void RunsWithoutEndpoints(string why)
    {
        State = State with { Detail = why };
        Log?.Logger.LogError("{Plugin}: {Detail}", Name, why);
    }

    /// <summary>What went wrong, in words that name no path of this machine.</summary>
    public string ErrorText(Exception e) => SafeErrorText.Of(e, Folder, _host.Settings.PluginsFolder, _host.Data.Path);

    /// <summary>Sees to it that copies which nothing holds leave the memory.</summary>
    public void CollectUnloaded() => _earlier.CollectUnloaded();

    /// <summary>Removes its log files. To be called once it is disposed.</summary>
    public void RemoveLogs() => Log?.Remove();

    public void Dispose() => Log?.Dispose();

    private async Task LoadCopyAsync(CancellationToken cancellationToken)
    {
        if (Manifest is not { } manifest)
        {
            return;
        }
        if (!Configurator!.Config.Enabled)
        {
            State = new(PluginPhase.Disabled, "switched off.");
            return;
        }
        var log = Log ??= new PluginLog(
            manifest.Route,
            _host.Settings.LogFolder,
            _host.Data.Folder("logs"),
            _host.Data.Path,
            _host.Clock,
            _host.Console,
            _host.LogListeners
        );
        if (!await _earlier.AreClosedAsync())
        {
            TryLater("an earlier copy of it has not closed its files, and no two may write to them");
            return;
        }
        PluginInstance? instance = null;
        try
        {
            Databases!.Look(log.Logger);
            instance = _instance = new PluginInstance(
                new PluginLoadContext(Path.Combine(Folder, manifest.EntryPoint)) { Threw = IsolateThatThrew }
            );
            var context = _host.ContextFor(manifest, log.Logger, instance.Ended);
            await instance.LoadAsync(manifest, context, _guard, cancellationToken);
            _undelivered = null;
        }
        catch (PluginIsolatedException)
        {
            return;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Retire(instance);
            TryLater("its loading was given up when something else was to be done");
            return;
        }
        catch (Exception e)
        {
            Retire(instance);
            log.Logger.LogError(e, "{Plugin} could not be loaded.", Name);
            Fail(ErrorText(e));
            BackOff.Fail(ErrorText(e));
            return;
        }
        await Configurator.BeginAsync(cancellationToken);
        if (IsLoaded)
        {
            BackOff.Succeed();
        }
    }

    private void IsolateThatThrew(PluginLoadContext context, Exception thrown)
    {
        Log?.Logger.LogError(thrown, "{Plugin} threw where nobody catches it.", Name);
        if (_instance is { } instance && instance.Context == context)
        {
            Isolate(instance, $"it threw where nobody catches it: {ErrorText(thrown)}");
        }
    }

    // Of a copy that is not in force any more: what hangs in it is not the plugin that is there now.
    private string Isolate(PluginInstance instance, string reason)
    {
        if (Retire(instance))
        {
            TryLater(reason);
        }
        return $"{Name}: {State.Detail}";
    }

    private void TryLater(string reason)
    {
        BackOff.Fail(reason);
        State = new(
            PluginPhase.Isolated,
            $"isolated: {reason}. It is tried again at {PluginHealth.Time(BackOff.Next!.Value)}; POST /api/plugins/{Name}/reload tries it at once. A restart of this process frees what the old copy holds."
        );
    }

    // A copy is retired once: whoever comes later, of a copy before this one, finds nothing to do.
    private bool Retire(PluginInstance? instance)
    {
        if (instance is null || Interlocked.CompareExchange(ref _instance, null, instance) != instance)
        {
            return false;
        }
        _earlier.Add(instance, e => Log?.Logger.LogError(e, "{Plugin} failed to close what it held.", Name));
        return true;
    }

    private void Fail(string why) => State = new(PluginPhase.Failed, $"not loaded: {why}");
}
