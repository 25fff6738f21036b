using AgentlessDatadog.Delivery;
using AgentlessDatadog.Pipeline;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Store;

/// <summary>
/// A store that may fail or not answer, and whether it does. From the first failure until <see cref="Works"/> nobody should
/// ask it for more than tells whether it works again: what must be durable is refused meanwhile. Any thread.
/// </summary>
internal sealed class GuardedStore(ITelemetryStore store, TimeProvider clock, Warnings warnings)
{
    private const string Silent = "The store does not answer.";

    // Whoever waits for us must not take us for stuck.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly ChangeSource _released = new();
    private volatile string? _error;

    /// <summary>Why nothing can be made durable now, or null.</summary>
    public string? Error => _error;

    /// <summary>Called when it fails, each time.</summary>
    public Action Failed { get; set; } = () => { };

    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
        store.OpenAsync(cancellationToken);

    /// <summary>
    /// Returns null once a write is durable; after ten seconds the write itself, which nobody can call back: whether it is
    /// durable is known when it ends.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Nothing of it is. Whoever asked calls <see cref="Fail"/>.</exception>
    public async Task<Task?> WriteAsync(Func<ITelemetryStore, ValueTask> write)
    {
        var released = _released.Next;
        var writing = write(store).AsTask();
        if (!await AnswersAsync(writing, released).ConfigureAwait(false))
        {
            Fail(Silent);
            return writing;
        }
        await writing.ConfigureAwait(false);
        warnings.Set(WarningKind.StoreFile, "store file", store.Warning, LogLevel.Error);
        return null;
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long request, CancellationToken cancellationToken)
    {
        var released = _released.Next;
        var reading = store.ReadAsync(request, cancellationToken).AsTask();
        return await AnswersAsync(reading, released).ConfigureAwait(false)
            ? await reading.ConfigureAwait(false)
            : throw new StoreUnavailableException(Silent);
    }

    /// <summary>It fails.</summary>
    public void Fail(string error)
    {
        _error = error;
        warnings.Set(
            WarningKind.Store,
            "store",
            $"{error} Until it works again, gauges are sent from memory alone, what counts waits, and whoever asks for "
                + "something to be kept is refused."
        );
        Failed();
    }

    /// <summary>It works again, and has everything.</summary>
    public void Works()
    {
        _error = null;
        warnings.Set(WarningKind.Store, "store", null);
    }

    /// <summary>Waits no longer for what was asked, as if it had not answered in time.</summary>
    public void Release() => _released.Raise();

    private async Task<bool> AnswersAsync(Task asked, Task released)
    {
        try
        {
            await Task.WhenAny(asked, released).WaitAsync(AnswerTimeout, clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It may have ended all the same.
        }
        return asked.IsCompleted;
    }
}
