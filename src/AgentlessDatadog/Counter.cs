using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog;

/// <summary>A series whose values are added up from flush to flush.</summary>
public sealed class Counter : Series
{
    internal Counter(Metric metric, byte[] identity)
        : base(metric, identity) { }

    /// <summary>Adds to the count, from any thread, without a lock. A value that is not finite is ignored.</summary>
    public void Add(double value = 1)
    {
        if (!double.IsFinite(value))
        {
            return;
        }

        var seen = Volatile.Read(ref Live);
        while (true)
        {
            var sum = seen == Unset ? value : BitConverter.Int64BitsToDouble(seen) + value;
            // Two finite numbers may add up to infinity, which JSON and Datadog do not know.
            var bits = BitConverter.DoubleToInt64Bits(Math.Clamp(sum, double.MinValue, double.MaxValue));
            var found = Interlocked.CompareExchange(ref Live, bits, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }

    internal override void Put(double value) => Add(value);

    private protected override void PutBack() => Add(TakenValue);
}
