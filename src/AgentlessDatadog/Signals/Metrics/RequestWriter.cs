namespace AgentlessDatadog.Signals.Metrics;

/// <summary>One encoded request, before it has an id.</summary>
/// <param name="Body">As it goes over the wire.</param>
/// <param name="Encoding">Value of the Content-Encoding header, or null.</param>
/// <param name="Units">Ledger units in it.</param>
/// <param name="Points">Points in it.</param>
/// <param name="Oldest">Unix second of its oldest point.</param>
internal sealed record EncodedRequest(byte[] Body, string? Encoding, long Units, int Points, long Oldest);

/// <summary>
/// Packs messages into requests that pass neither limit of <c>/api/v2/series</c> (docs/reference/datadog.md §3.4),
/// whatever they are. Its buffers serve all requests of a flush.
/// </summary>
internal sealed class RequestWriter(string encoding) : IDisposable
{
    private static readonly int MaxWire = Lane.Metrics.MaxWireBytes;
    private static readonly int MaxRaw = Lane.Metrics.MaxRawBytes;

    // The largest message is two sets of a hundred tags of 200 characters, of three bytes each at most.
    private const int MaxMessage = 128 * 1024;
    private const int Stage = 64 * 1024;

    // With less room than this left, going on would cost a flush of the compressor every few messages.
    private const int LeastRoom = 16 * 1024;

    private readonly CompressedBody _body = CompressedBody.For(encoding, MaxWire);
    private readonly byte[] _stage = new byte[Stage + MaxMessage];
    private int _staged;
    private int _raw;
    private long _units;
    private int _points;
    private long _oldest = long.MaxValue;

    public List<EncodedRequest> Done { get; } = [];

    /// <summary>Unix second of the oldest point so far in the request that is being made.</summary>
    public long Oldest => _oldest;

    /// <summary>Room for one message of at most that many bytes, in the request that is being made or the next.</summary>
    public Span<byte> Begin(int room)
    {
        if (_points > 0 && (_raw + room > MaxRaw || !Fits(room)))
        {
            Finish();
        }

        return _stage.AsSpan(_staged, room);
    }

    /// <summary>Takes what was written into the room as a message with one point.</summary>
    public void End(int length, int units, long second)
    {
        _staged += length;
        _raw += length;
        _units += units;
        _points++;
        _oldest = Math.Min(_oldest, second);
        if (_staged >= Stage)
        {
            Drain();
        }
    }

    /// <summary>Ends the request that is being made, if there is anything in it.</summary>
    public void Finish()
    {
        if (_points == 0)
        {
            return;
        }

        Drain();
        Done.Add(new EncodedRequest(_body.Finish(), _body.Encoding, _units, _points, _oldest));
        _raw = 0;
        _units = 0;
        _points = 0;
        _oldest = long.MaxValue;
    }

    public void Dispose() => _body.Dispose();

    private bool Fits(int room)
    {
        if (_body.Bound(_staged + room) <= MaxWire)
        {
            return true;
        }

        Drain();
        _body.Flush();
        return _body.Bound(Math.Max(room, LeastRoom)) <= MaxWire;
    }

    private void Drain()
    {
        _body.Write(_stage.AsSpan(0, _staged));
        _staged = 0;
    }
}
