namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>Values folded so that any aggregation of them can be told afterwards.</summary>
internal struct Accumulator
{
    private double _sum;
    private double _min;
    private double _max;
    private long _count;

    public void Fold(double value)
    {
        _min = _count == 0 ? value : Math.Min(_min, value);
        _max = _count == 0 ? value : Math.Max(_max, value);
        _sum += value;
        _count++;
    }

    public readonly double Result(Aggregation aggregation) =>
        aggregation switch
        {
            Aggregation.Sum => _sum,
            Aggregation.Min => _min,
            Aggregation.Max => _max,
            Aggregation.Count => _count,
            _ => _sum / _count,
        };
}
