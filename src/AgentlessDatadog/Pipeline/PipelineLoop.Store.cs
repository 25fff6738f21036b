using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <content>What becomes of it while the store fails.</content>
internal sealed partial class PipelineLoop
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    /// <summary>A write that the store did not answer in time: it ends by itself, and only then does the loop write again.</summary>
    private abstract record LateWrite
    {
        /// <summary>How it ended; null while nobody knows.</summary>
        public Task? Ended { get; set; }
    }

    private sealed record LateAppend(IntakeBatch Batch, JournalAppend Append) : LateWrite;

    private sealed record LateFlush(Flush Flush, EncodedFlush Encoded, JournalFlush Write) : LateWrite;

    /// <summary>Looks in a while whether the store works again. Any thread.</summary>
    public void TryStoreLater()
    {
        if (Interlocked.Exchange(ref _triesStore, 1) == 0)
            _ = WaitAsync();

        async Task WaitAsync()
        {
            await Task.Delay(RetryInterval, clock).ConfigureAwait(false);
            _inbox.Writer.TryWrite(_tryStore);
        }
    }

    /// <summary>Hands over to the store what it has not, if it works again. On the loop, or after its end.</summary>
    public async Task RecoverAsync()
    {
        if (store.Error is null)
            return;
        try
        {
            if (await TryStoreAsync().ConfigureAwait(false) && await outbox.HandOverAsync().ConfigureAwait(false))
            {
                outbox.Changed.Raise();
                return;
            }
        }
        catch (StoreUnavailableException)
        {
            // It fails still.
        }
        catch (Exception error)
        {
            logger.LogError(error, "The store refused what memory had kept for it");
        }
        TryStoreLater();
    }

    // Whether it takes something: what it was at, or a sequence, which is a write to the disk as well.
    private async Task<bool> TryStoreAsync()
    {
        if (_late is LateFlush { Ended: not null } flush)
        {
            _late = null;
            if (!await WriteAsync(s => s.FlushAsync(flush.Write, default), flush).ConfigureAwait(false))
                return false;
            Durable(flush);
        }
        if (_late is not null)
            return false;
        var nothing = new JournalAppend(new JournalEntry(_lastSequence + 1, _options.Destination, []), [], [], []);
        var isDurable = await WriteAsync(s => s.AppendAsync(nothing, default), new LateAppend(NewBatch(), nothing))
            .ConfigureAwait(false);
        _lastSequence += isDurable ? 1 : 0;
        return isDurable;
    }

    // False: the store is still at it.
    private async Task<bool> WriteAsync(Func<ITelemetryStore, ValueTask> write, LateWrite late)
    {
        try
        {
            if (await store.WriteAsync(write).ConfigureAwait(false) is not { } unanswered)
                return true;
            _late = late;
            _ = WaitAsync(unanswered);
            return false;
        }
        catch (StoreUnavailableException error)
        {
            store.Fail(error.Message);
            if (late is LateFlush { Ended: not null })
                _late = late;
            throw;
        }

        async Task WaitAsync(Task unanswered)
        {
            await unanswered.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            late.Ended = unanswered;
            _inbox.Writer.TryWrite(late);
        }
    }

    // An append that failed after all is its caller's again; a flush is no longer in the aggregate and is tried again.
    private async Task EndLateAsync(LateWrite late)
    {
        if (late.Ended!.IsCompletedSuccessfully)
        {
            _late = null;
            if (late is LateFlush flush)
            {
                Durable(flush);
            }
            else if (late is LateAppend append)
            {
                // Series may have gone meanwhile.
                Replay([append.Append.Journal]);
                Applied(append.Batch, append.Append);
            }
        }
        else if (late is LateAppend)
        {
            _late = null;
        }
        await RecoverAsync().ConfigureAwait(false);
    }
}
