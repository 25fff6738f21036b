using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog;

/// <summary>A series whose last value wins.</summary>
public sealed class Gauge : Series
{
    internal Gauge(Metric metric, byte[] identity)
        : base(metric, identity) { }

    /// <summary>
    /// Sets the value, from any thread: one store. It is sent once, at the next flush. A value that is not finite is
    /// ignored.
    /// </summary>
    public void Set(double value)
    {
        if (double.IsFinite(value))
        {
            Volatile.Write(ref Live, BitConverter.DoubleToInt64Bits(value));
        }
    }

    internal override void Put(double value) => Set(value);

    // What was set since the flush is newer and stays.
    private protected override void PutBack() => Interlocked.CompareExchange(ref Live, Taken, Unset);
}
