using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// One copy of a plugin in this process, from its making until all that it holds is closed. Whatever it is at, it can be
/// ended from outside.
/// </summary>
internal sealed class PluginInstance : IAsyncDisposable
{
    // A plugin learns at the deadline of its unloading that it is to finish: what it holds then must still be kept, and its
    // files closed.
    public static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    // Whoever is answered by then notices nothing.
    private static readonly TimeSpan RequestsTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _closing;
    private int _requests;

    public PluginInstance(PluginLoadContext context)
    {
        Context = context;
        Ended = _ended.Token;
    }

    // Held here: a collectible context that nobody holds begins to unload, and then loads nothing more.
    public PluginLoadContext Context { get; }

    /// <summary>The plugin itself, once it is made.</summary>
    public IPlugin? Plugin { get; set; }

    /// <summary>True once the plugin has taken its context, and may be asked.</summary>
    public bool IsLoaded { get; set; }

    /// <summary>Fires when nothing more is wanted of this copy.</summary>
    public CancellationToken Ended { get; }

    /// <summary>True once it takes no requests any more: another copy is to come, or none.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>Takes one request, which <see cref="Leave"/> ends; false when it takes none any more.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            _requests += IsLeaving ? 0 : 1;
            return !IsLeaving;
        }
    }

    /// <summary>A request that was taken is over.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _requests--;
            EndIfIdle();
        }
    }

    /// <summary>Takes no more requests; the task ends once none is under way.</summary>
    public Task RefuseAsync()
    {
        lock (_lock)
        {
            IsLeaving = true;
            EndIfIdle();
            return _idle.Task;
        }
    }

    /// <summary>Makes the plugin and gives it its context.</summary>
    /// <exception cref="PluginIsolatedException">It does not come back from that.</exception>
    public async Task LoadAsync(
        PluginManifest manifest,
        IPluginContext context,
        PluginCallGuard guard,
        CancellationToken cancellationToken
    )
    {
        // A constructor may hang as well as any other call.
        var plugin = Plugin = await guard.CallAsync(
            this,
            () => Task.FromResult(PluginFolder.MakePlugin(Context, manifest)),
            "being made",
            cancellationToken
        );
        await guard.CallAsync(
            this,
            () => plugin.LoadAsync(context, cancellationToken).AsTask(),
            "loading",
            cancellationToken
        );
        IsLoaded = true;
    }

    /// <summary>
    /// Lets the plugin end its work until <paramref name="deadline"/> fires, and then put away what it holds; what it has not
    /// delivered then, or null when it cannot tell. Nothing more is asked of it.
    /// </summary>
    /// <exception cref="TimeoutException">It does not come back from that.</exception>
    public async Task<IReadOnlyDictionary<string, long>?> UnloadAsync(TimeProvider clock, CancellationToken deadline)
    {
        var plugin = Plugin!;
        await RefuseAsync()
            .WaitAsync(RequestsTimeout, clock, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        IsLoaded = false;
        var unloading = Task.Run(() => plugin.UnloadAsync(deadline).AsTask(), CancellationToken.None);
        await unloading.WaitAsync(deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await unloading.WaitAsync(CloseTimeout, clock, CancellationToken.None);
        return await Task.Run(() => plugin.Undelivered)
            .WaitAsync(PluginCallGuard.AnswerTimeout, clock, CancellationToken.None);
    }

    /// <summary>
    /// Ends the copy: fires its token, lets the plugin close what it holds, and unloads its code. Never ends when the plugin
    /// never does.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            return new ValueTask(_closing ??= Task.Run(CloseAsync));
        }
    }

    private void EndIfIdle()
    {
        if (IsLeaving && _requests == 0)
        {
            _idle.TrySetResult();
        }
    }

    private async Task CloseAsync()
    {
        // What hangs on the token is the plugin's code as well, and must not keep its files open.
        var telling = _ended.CancelAsync();
        try
        {
            await (Plugin?.DisposeAsync() ?? default);
            await telling;
        }
        finally
        {
            // Only now: a context that unloads loads nothing more that closing may need.
            Context.Unload();
            _ended.Dispose();
        }
    }
}
