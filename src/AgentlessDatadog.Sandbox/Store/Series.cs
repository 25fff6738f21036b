namespace AgentlessDatadog.Sandbox.Store;

/// <summary>The points of one name and tag set, in order of time.</summary>
internal sealed class Series
{
    private const int FirstCapacity = 4;

    private uint[] _times = [];
    private double[] _values = [];
    private int _start;
    private int _end;

    public int Count => _end - _start;

    /// <summary>POSIX seconds, ascending.</summary>
    public ReadOnlySpan<uint> Times => _times.AsSpan(_start, Count);

    public ReadOnlySpan<double> Values => _values.AsSpan(_start, Count);

    /// <summary>The last point's time; the series must not be empty.</summary>
    public uint LastTime => _times[_end - 1];

    /// <summary>Last point wins per second (§3.8).</summary>
    /// <returns>True when there was no point at this second yet.</returns>
    public bool Set(uint time, double value)
    {
        var at = FirstNotBefore(time);
        if (at < _end && _times[at] == time)
        {
            _values[at] = value;
            return false;
        }
        Insert(at, time, value);
        return true;
    }

    /// <summary>Every sample of a distribution stays (§3.3), the later one after those of its second.</summary>
    public void Add(uint time, double value) => Insert(FirstNotBefore(time + 1), time, value);

    /// <summary>Lets go of everything before a time.</summary>
    /// <returns>How many points went.</returns>
    public int DropBefore(uint time)
    {
        var start = FirstNotBefore(time);
        var dropped = start - _start;
        _start = start;
        return dropped;
    }

    private int FirstNotBefore(uint time)
    {
        // Points nearly always come in order.
        if (_end == _start || _times[_end - 1] < time)
        {
            return _end;
        }
        var at = Times.BinarySearch(time);
        if (at < 0)
        {
            return _start + ~at;
        }
        // Equal times occur in distributions; the search may have hit any of them.
        at += _start;
        while (at > _start && _times[at - 1] == time)
        {
            at--;
        }
        return at;
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
        Times.CopyTo(times);
        Values.CopyTo(values);
        (_times, _values, _start, _end) = (times, values, 0, count);
    }
}
