namespace AgentlessDatadog.Sandbox.Store;

/// <summary>The points of one name and tag set, in order of time.</summary>
internal sealed class StoredSeries
{
    private const int FirstCapacity = 4;

    private uint[] _times = [];
    private double[] _values = [];
    private int _start;
    private int _end;

    // Samples may come in any order by the million: they are put in order when somebody asks.
    private bool _isOrdered = true;

    public int Count => _end - _start;

    /// <summary>POSIX seconds, ascending.</summary>
    public ReadOnlySpan<uint> Times
    {
        get
        {
            Order();
            return _times.AsSpan(_start, Count);
        }
    }

    public ReadOnlySpan<double> Values
    {
        get
        {
            Order();
            return _values.AsSpan(_start, Count);
        }
    }

    /// <summary>The last point's time; the series must not be empty.</summary>
    public uint LastTime => Times[^1];

    /// <summary>Last point wins per second (docs/reference/datadog.md §3.5), unless it is to be added to the others.</summary>
    /// <returns>True when there was no point at this second yet.</returns>
    public bool Set(uint time, double value, bool add)
    {
        var at = FirstNotBefore(time);
        if (at < _end && _times[at] == time)
        {
            _values[at] = add ? _values[at] + value : value;
            return false;
        }
        Insert(at, time, value);
        return true;
    }

    /// <summary>Every sample of a distribution stays (§3.3).</summary>
    public void Add(uint time, double value)
    {
        _isOrdered &= Count == 0 || _times[_end - 1] <= time;
        Insert(_end, time, value);
    }

    /// <summary>Lets go of everything before a time.</summary>
    /// <returns>How many points went.</returns>
    public int DropBefore(uint time)
    {
        var start = FirstNotBefore(time);
        var dropped = start - _start;
        _start = start;
        return dropped;
    }

    private void Order()
    {
        if (!_isOrdered)
        {
            _times.AsSpan(_start, Count).Sort(_values.AsSpan(_start, Count));
            _isOrdered = true;
        }
    }

    private int FirstNotBefore(uint time)
    {
        Order();
        // Points nearly always come in order.
        if (_end == _start || _times[_end - 1] < time)
        {
            return _end;
        }
        var (from, to) = (_start, _end);
        while (from < to)
        {
            var middle = from + ((to - from) / 2);
            if (_times[middle] < time)
            {
                from = middle + 1;
            }
            else
            {
                to = middle;
            }
        }
        return from;
    }

    private void Insert(int at, uint time, double value)
    {
        if (_end == _times.Length)
        {
            at -= _start;
            MakeRoom();
        }
        if (at < _end)
        {
            Array.Copy(_times, at, _times, at + 1, _end - at);
            Array.Copy(_values, at, _values, at + 1, _end - at);
        }
        _times[at] = time;
        _values[at] = value;
        _end++;
    }

    /// <summary>Moves everything to the front, into larger arrays unless much of the old ones is free.</summary>
    private void MakeRoom()
    {
        var count = Count;
        var times = _times;
        var values = _values;
        if (_start <= _times.Length / 2)
        {
            var capacity = Math.Max(FirstCapacity, count + (count / 2));
            times = new uint[capacity];
            values = new double[capacity];
        }
        _times.AsSpan(_start, count).CopyTo(times);
        _values.AsSpan(_start, count).CopyTo(values);
        (_times, _values, _start, _end) = (times, values, 0, count);
    }
}
