using Microsoft.Data.Sqlite;
using StreamSpace.Platform;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>
/// What the plugins hear: the configured sources; or, with none, the demo, for as long as every plugin keeps its
/// data on this machine; or nothing.
/// </summary>
internal sealed class Attachment(
    IReadOnlyList<ISource> sources,
    HostFile file,
    PluginSet plugins,
    TimeProvider clock,
    Func<double> chance,
    Narrator narrator,
    ILogger logger
) : IAsyncDisposable
{
    private const int DemoSeed = 1;

    // Whoever hears nothing, though it should, is tried again; so is one that was not able to take its config.
    public static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stop = new();
    private Task? _retrying;
    private Hearing? _hearing;
    private bool _said;

    /// <summary>Takes what is posted; null while there is only the demo.</summary>
    public HttpSource? Posted => sources.OfType<HttpSource>().FirstOrDefault();

    /// <summary>True while the demo is what the plugins hear.</summary>
    public bool Demo => _hearing?.Demo ?? false;

    public IReadOnlyList<SourceStatus> Sources => _hearing?.Watch.Sources ?? [];

    /// <summary>One sentence for a person.</summary>
    public string Sentence =>
        _hearing switch
        {
            { Fault: { } fault } => $"Nothing any more: {fault}",
            { Demo: true } =>
                $"The demo platform: invented sessions that never leave this machine. {SourcesConfigured.HowToSetOne}",
            // What follows the first line of a detail is a text to apply.
            not null => string.Join("; ", Sources.Select(s => $"{s.Name}: {s.Detail.Split('\n')[0]}")),
            null when sources.Count > 0 => "Nothing yet: no plugin is ready to listen.",
            null => $"Nothing. {SourcesConfigured.HowToSetOne}",
        };

    /// <summary>Why no event can arrive although one should, or none be kept, or null.</summary>
    public string? Fault =>
        _hearing is { Fault: null, Watch.NotKept: { } why } ? $"{Path.GetFileName(file.Path)}: {why}" : _hearing?.Fault;

    /// <summary>Brings about what should be now. To be called whenever a plugin or its config has changed.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _retrying ??= RetryAsync();
            var running = plugins.All.Where(p => p.State is PluginState.Running).ToList();
            var demo = sources.Count == 0;
            var wanted = running.Count > 0 && (!demo || plugins.All.All(p => p.KeepsDataLocal));
            var before = _hearing;
            if (wanted)
            {
                _hearing ??= Begin(demo);
                await _hearing.KeepOnlyAsync(running);
                foreach (var plugin in running)
                {
                    await _hearing.AttachAsync(plugin, cancellationToken);
                }
                _hearing.Run();
            }
            else
            {
                await EndAsync();
            }
            if (!_said || _hearing != before)
            {
                narrator.Say($"Attached to: {Sentence}");
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

    private async Task RetryAsync()
    {
        using var timer = new PeriodicTimer(RetryEvery, clock);
        var begun = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(_stop.Token);
                foreach (var plugin in plugins.All.Where(p => p.LacksConfig))
                {
                    begun |= await plugin.BeginAgainAsync(_stop.Token);
                }
                if (begun || plugins.All.Any(p => p is { State: PluginState.Running, Deaf: not null }))
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
                logger.LogError(e, "What the plugins should hear could not be brought about; it is tried again.");
            }
        }
    }

    private Hearing Begin(bool demo)
    {
        IRegistryStore store = demo ? new MemoryRegistryStore() : OpenRegistry();
        IReadOnlyList<ISource> heard = demo ? [new DemoSource(DemoSeed, clock)] : sources;
        var watch = new PlatformWatch(heard, store, demo, () => plugins.HoldUnkept, clock, chance, logger);
        return new Hearing(demo, watch, store, clock, logger);
    }

    private SqliteRegistryStore OpenRegistry()
    {
        try
        {
            return new SqliteRegistryStore(file);
        }
        catch (Exception e)
            when (e is InvalidOperationException or IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new StartFault(e.Message, e);
        }
    }

    private async Task EndAsync()
    {
        if (_hearing is not { } hearing)
        {
            return;
        }
        await hearing.DisposeAsync();
        _hearing = null;
        if (hearing.Demo)
        {
            // An empty baseline: what was invented is not to be remembered when real data may come.
            var nothing = new PlatformBatch([]) { Baseline = true };
            foreach (var plugin in hearing.Listeners)
            {
                try
                {
                    await plugin.HandleAsync(nothing, CancellationToken.None);
                }
                catch (Exception e)
                {
                    logger.LogError(e, "{Plugin} did not take the end of the demo.", plugin.Name);
                }
            }
        }
    }
}
