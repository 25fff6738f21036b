namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>Values folded so that any aggregation of them can be told afterwards.</summary>
internal struct Accumulator
{
    private double _sum;
    private double _min;
    private double _max;
    private long _count;

    // Only where a percentile is asked for: that needs every value.
    private List<double>? _values;

    public void Keep(double value)
    {
        (_values ??= []).Add(value);
        _count++;
    }

    public void Fold(double value)
    {
        _min = _count == 0 ? value : Math.Min(_min, value);
        _max = _count == 0 ? value : Math.Max(_max, value);
        _sum += value;
        _count++;
    }

    /// <summary>Of what was kept: the value that this share of them, from 0 to 100, does not pass, as a sketch tells it.</summary>
    public readonly double Percentile(double percentile)
    {
        _values!.Sort();
        return _values[(int)(percentile / 100 * (_values.Count - 1))];
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
