using Microsoft.Data.Sqlite;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Demo;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.Platform.Store;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Feed;

/// <summary>
/// Sees to it that there is a feed when there should be one, and that the plugins are subscribed to it: of the configured
/// sources; or, with none, of the demo, for as long as every plugin keeps its data on this machine; or of nothing.
/// </summary>
internal sealed class FeedSupervisor(
    IReadOnlyList<ISource> sources,
    HostFile file,
    PluginSet plugins,
    TimeProvider clock,
    Func<double> random,
    StartupConsole console,
    ILogger logger
) : IAsyncDisposable
{
    private const int DemoSeed = 1;

    private static readonly TimeSpan FirstAnswer = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stop = new();
    private Task? _retrying;
    private FeedSession? _session;
    private bool _said;

    /// <summary>Takes what is posted; null while there is only the demo.</summary>
    public WebhookSource? Posted => sources.OfType<WebhookSource>().FirstOrDefault();

    /// <summary>True while the demo is what the plugins are told.</summary>
    public bool IsDemo => _session?.IsDemo ?? false;

    public IReadOnlyList<SourceStatus> Sources => _session?.Feed.Sources ?? [];

    /// <summary>One sentence for a person.</summary>
    public string Sentence =>
        _session switch
        {
            { Error: { } error } => $"Nothing any more: {error}",
            { IsDemo: true } =>
                $"The demo platform: invented sessions that never leave this machine. {SourceFactory.HowToSetOne}",
            // What follows the first line of a detail is a text to apply.
            not null => string.Join("; ", Sources.Select(s => $"{s.Name}: {s.Detail.Split('\n')[0]}")),
            null when sources.Count > 0 => "Nothing: every plugin is switched off.",
            null => $"Nothing. {SourceFactory.HowToSetOne}",
        };

    /// <summary>Why nothing can arrive although it should, or none be kept, or null.</summary>
    public string? Error =>
        _session is { Error: null, Feed.StoreError: { } why }
            ? $"{Path.GetFileName(file.Path)}: {why}"
            : _session?.Error;

    /// <summary>True where a source is configured.</summary>
    public bool IsAttached => sources.Count > 0;

    /// <summary>Sources that are away or hear only a part, with what that costs, and that there is none.</summary>
    public IReadOnlyList<CheckFinding> Findings =>
        _session is null && sources.Count == 0 && plugins.All.Any(p => p.State.Phase is PluginPhase.Running)
            ?
            [
                new(
                    "sources",
                    CheckVerdict.Warning,
                    "No source is configured, and the demo does not go to a real site: nothing is collected.",
                    SourceFactory.HowToSetOne
                ),
            ]
            // First what StreamSpace's own users feel.
            : [.. Sources.Where(IsTrouble).OrderBy(source => source.Fix is null).Select(Trouble)];

    // One that has not told why is given the time to come.
    private bool IsTrouble(SourceStatus source) =>
        source.Errors.Count > 0
        || source.State is SourceState.Down
        || (source.State is SourceState.Connecting && clock.GetUtcNow() - source.Since > FirstAnswer);

    private static string Why(SourceStatus source) =>
        source.Errors.Count > 0 ? string.Join(' ', source.Errors) : source.Detail.Split('\n')[0];

    private static CheckFinding Trouble(SourceStatus source) =>
        source.State is SourceState.Up
            ? new(
                source.Name,
                CheckVerdict.Warning,
                $"{SourceFactory.TitleOf(source.Name)} is heard in part: {string.Join(' ', source.Errors)}",
                "Grant what is missing; the command check prints it."
            )
        : source.Fix is { } fix ? new(source.Name, CheckVerdict.Warning, source.Detail, fix)
        : new(
            source.Name,
            CheckVerdict.Warning,
            $"{SourceFactory.TitleOf(source.Name)} is not heard: {Why(source)} Until it is: {SourceFactory.CostOf(source.Name)}",
            "See that it runs and that this machine reaches it; it is tried again by itself. The command check says more."
        );

    /// <summary>Brings about what should be now. To be called whenever a plugin or its config has changed.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _retrying ??= RetryAsync();
            var before = _session;
            if (_session is { IsDemo: true } && !IsWanted)
            {
                // What was invented goes first, so that nobody is told of it under another config.
                await EndAsync();
            }
            if (IsWanted)
            {
                _session ??= Begin();
            }
            if (_session is not null)
            {
                await _session.SettleAsync(plugins.All, cancellationToken);
            }
            if (!IsWanted)
            {
                await EndAsync();
            }
            if (!_said || _session != before)
            {
                console.Say($"Attached to: {Sentence}");
                _said = true;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await (_retrying ?? Task.CompletedTask);
        await _turn.WaitAsync();
        await EndAsync();
        _stop.Dispose();
    }

    // What happens while a plugin cannot be loaded is for it once it can: only one that is off wants nothing.
    private bool IsWanted =>
        sources.Count > 0
            ? plugins.All.Any(p => p.State.Phase is not PluginPhase.Disabled)
            : plugins.All.Any(p => p.State.Phase is PluginPhase.Running) && plugins.All.All(p => p.KeepsDataLocal);

    private async Task RetryAsync()
    {
        // Whoever is not subscribed, though it should be, is tried again; so is one that was not able to take its config.
        using var timer = new PeriodicTimer(PluginBackOff.ConfigEvery, clock);
        var begun = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(_stop.Token);
                foreach (var plugin in plugins.All.Where(p => p.State.ConfigIsTriedAgain))
                {
                    begun |= await plugin.Configurator!.BeginAgainAsync(_stop.Token);
                }
                if (
                    begun
                    || plugins.All.Any(p =>
                        p is { State.Phase: PluginPhase.Running, Subscription: not { IsEnded: false } }
                    )
                )
                {
                    await SettleAsync(_stop.Token);
                    begun = false;
                }
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                // Asked to.
            }
            catch (Exception e)
            {
                logger.LogError(e, "The plugins could not be subscribed to the platform; it is tried again.");
            }
        }
    }

    private FeedSession Begin()
    {
        var isDemo = sources.Count == 0;
        IPlatformStore store = isDemo ? new MemoryPlatformStore() : OpenStore();
        IReadOnlyList<ISource> watched = isDemo ? [new DemoSource(DemoSeed, clock)] : sources;
        return new FeedSession(isDemo, new PlatformFeed(watched, store, isDemo, clock, random, logger), store, logger);
    }

    private SqlitePlatformStore OpenStore()
    {
        try
        {
            return new SqlitePlatformStore(file);
        }
        catch (Exception e)
            when (e is NotSupportedException or IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new StartupException(e.Message, e);
        }
    }

    private async Task EndAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync();
        }
    }
}
