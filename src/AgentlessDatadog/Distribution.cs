using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog;

/// <summary>A series whose values are all sent, for Datadog to make percentiles of.</summary>
public sealed class Distribution : Series
{
    // Values come from any thread; a list cannot be swapped as a number can.
    private readonly Lock _lock = new();
    private List<Sample> _live = [];
    private List<Sample> _taken = [];

    internal Distribution(Metric metric, byte[] identity)
        : base(metric, identity) { }

    /// <summary>Adds one value, from any thread. One that is not finite is ignored.</summary>
    public void Record(double value)
    {
        if (double.IsFinite(value))
        {
            Put(value);
        }
    }

    /// <param name="Second">Unix second that it is booked at, or 0 for that of the flush.</param>
    /// <param name="Value">A finite number.</param>
    /// <param name="IsItem">Whether it is a ledger unit of its own.</param>
    internal readonly record struct Sample(long Second, double Value, bool IsItem);

    internal IReadOnlyList<Sample> Samples => _taken;

    internal void Put(Sample sample)
    {
        lock (_lock)
        {
            _live.Add(sample);
        }
    }

    internal override void Put(double value) => Put(new Sample(0, value, false));

    internal override bool HasLive
    {
        get
        {
            lock (_lock)
            {
                return _live.Count > 0;
            }
        }
    }

    private protected override void AbsorbTaken(Series other)
    {
        lock (_lock)
        {
            _live.AddRange(((Distribution)other)._taken);
        }
    }

    internal override void Skip()
    {
        _taken.Clear();
        base.Skip();
    }

    private protected override void TakeLive()
    {
        lock (_lock)
        {
            (_live, _taken) = (_taken, _live);
            _live.Clear();
        }
        Taken = _taken.Count > 0 ? 0 : Unset;
    }

    private protected override void PutBack()
    {
        lock (_lock)
        {
            _live.InsertRange(0, _taken);
        }
    }
}
