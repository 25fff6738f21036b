namespace AgentlessDatadog;

/// <summary>A series whose values are all sent. Belongs to the thread that cuts.</summary>
internal sealed class Distribution(Metric metric, byte[] identity) : Series(metric, identity)
{
    private List<Sample> _live = [];
    private List<Sample> _taken = [];

    /// <param name="Second">Unix second that it is booked at, or 0 for that of the cut.</param>
    /// <param name="Value">A finite number.</param>
    /// <param name="IsItem">Whether it is a ledger unit of its own.</param>
    internal readonly record struct Sample(long Second, double Value, bool IsItem);

    public IReadOnlyList<Sample> Samples => _taken;

    public void Put(Sample sample) => _live.Add(sample);

    internal override void Put(double value) => _live.Add(new Sample(0, value, false));

    internal override bool HasLive => _live.Count > 0;

    internal override void Absorb(Series other)
    {
        _live.AddRange(((Distribution)other)._taken);
        other.Skip();
    }

    internal override void Skip()
    {
        _taken.Clear();
        base.Skip();
    }

    internal override bool Take()
    {
        (_live, _taken) = (_taken, _live);
        _live.Clear();
        Taken = _taken.Count > 0 ? 0 : Unset;
        return HasTaken;
    }

    private protected override void PutBack() => _live.InsertRange(0, _taken);
}
