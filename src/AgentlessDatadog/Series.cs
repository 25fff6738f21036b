using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog;

/// <summary>
/// One name with one set of tags, and its value since the last flush. Whoever asks for the same name and tags gets the
/// same one. Dispose it once for each time it was asked for: when nobody holds it, it goes after the next flush.
/// </summary>
public abstract class Series : IDisposable
{
    // A quiet NaN that no arithmetic yields, so that "not set" needs no second field.
    private protected const long Unset = 0x7FF8_DD06_5E71_E5ED;

    // Live is written by any thread. Everything below it belongs to the thread that flushes.
    private protected long Live = Unset;
    private protected long Taken = Unset;

    private protected Series(Metric metric, byte[] identity)
    {
        Metric = metric;
        Identity = identity;
    }

    /// <summary>Gives it back. The value set last is still sent.</summary>
    public void Dispose()
    {
        Metric.Table.Return(this);
        GC.SuppressFinalize(this);
    }

    internal Metric Metric { get; }

    /// <summary>Name and own tags as protobuf fields 2 and 3 of a MetricSeries: what it is known by, ready to send.</summary>
    internal byte[] Identity { get; }

    /// <summary>The series that its values go to, when some of its own tags are on every series anyway.</summary>
    internal Series? Target { get; set; }

    /// <summary>How many hold it. Guarded by the table's lock.</summary>
    internal int Holders { get; set; }

    /// <summary>Ledger items in the live value.</summary>
    internal int Items { get; set; }

    /// <summary>Ledger items in the value that the last flush took.</summary>
    internal int TakenItems { get; set; }

    /// <summary>Unix second of the last flush that took a value, or at which it was first looked up by name.</summary>
    internal long LastTaken { get; set; }

    /// <summary>Whether a measurement named it, so that it stays for a while without a holder.</summary>
    internal bool Named { get; set; }

    /// <summary>Whether it has ever had a point at a flush's second.</summary>
    internal bool WasFlushed { get; set; }

    /// <summary>Whether the live value holds something of the journal.</summary>
    internal bool IsJournaled { get; set; }

    /// <summary>Whether the value that the last flush took does.</summary>
    internal bool TakenJournaled { get; private set; }

    internal virtual bool HasLive => Volatile.Read(ref Live) != Unset;

    internal bool HasTaken => Taken != Unset;

    internal double TakenValue => BitConverter.Int64BitsToDouble(Taken);

    /// <summary>Adds one value to what is live.</summary>
    internal abstract void Put(double value);

    /// <summary>Moves what is live to what is taken; says whether there was any.</summary>
    internal bool Take()
    {
        TakeLive();
        (TakenItems, Items) = (Items, 0);
        (TakenJournaled, IsJournaled) = (IsJournaled, false);
        return HasTaken;
    }

    /// <summary>Adds what another series has taken to what is live here.</summary>
    internal void Absorb(Series other)
    {
        AbsorbTaken(other);
        Items += other.TakenItems;
        IsJournaled |= other.TakenJournaled;
        other.Skip();
    }

    /// <summary>Leaves what is live for a later flush.</summary>
    internal virtual void Skip()
    {
        Taken = Unset;
        TakenItems = 0;
        TakenJournaled = false;
    }

    /// <summary>Merges what was taken back into what is live, as if the flush had not been.</summary>
    internal void Restore()
    {
        if (HasTaken)
        {
            PutBack();
        }

        Items += TakenItems;
        IsJournaled |= TakenJournaled;
        Skip();
    }

    private protected virtual void TakeLive() => Taken = Interlocked.Exchange(ref Live, Unset);

    private protected virtual void AbsorbTaken(Series other) => Put(other.TakenValue);

    private protected abstract void PutBack();
}
