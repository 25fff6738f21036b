using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// What of one append waits for a flush, as bytes: a version, then each measurement, then each span and log entry. Metric
/// names, units, tags and lanes repeat, so the second time one is written as a number. Belongs to one thread.
/// </summary>
internal sealed class JournalRow
{
    // The first had no spans and log entries.
    private const byte Version = 2;

    // What a measurement has beside its type, in the bits above it.
    private const int TypeBits = 0b0000_0011;
    private const int IsItem = 0b0000_0100;
    private const int HasUnit = 0b0000_1000;
    private const int HasTimestamp = 0b0001_0000;

    // Not written any more: what counts once does so without an id.
    private const int HasId = 0b0010_0000;

    private readonly Dictionary<string, int> _written = new(StringComparer.Ordinal);

    public byte[] Encode(JournalEntry entry)
    {
        _written.Clear();
        // As large as it becomes, or nearly: to grow is to copy.
        using var bytes = new MemoryStream(
            (64 * entry.Measurements.Count) + entry.Signals.Sum(signal => signal.Bytes.Length + 16)
        );
        using var row = new BinaryWriter(bytes);
        row.Write(Version);
        row.Write7BitEncodedInt(entry.Measurements.Count);
        foreach (var measurement in entry.Measurements)
        {
            Write(row, measurement);
        }

        row.Write7BitEncodedInt(entry.Signals.Count);
        foreach (var signal in entry.Signals)
        {
            Write(row, signal);
        }

        return bytes.ToArray();
    }

    /// <exception cref="InvalidDataException">It is not what <see cref="Encode"/> writes.</exception>
    public static JournalEntry Decode(long sequence, string destination, byte[] bytes)
    {
        try
        {
            using var row = new BinaryReader(new MemoryStream(bytes));
            var version = row.ReadByte();
            if (version is 0 or > Version)
            {
                throw new InvalidDataException($"a row of the journal has the version {version}");
            }

            var count = row.Read7BitEncodedInt();
            List<Measurement> measurements = [];
            List<string> known = [];
            for (var i = 0; i < count; i++)
            {
                measurements.Add(Read(row, known));
            }

            List<EncodedSignal> signals = [];
            for (var left = version == 1 ? 0 : row.Read7BitEncodedInt(); left > 0; left--)
            {
                signals.Add(ReadSignal(row, known));
            }

            return new JournalEntry(sequence, destination, measurements) { Signals = signals };
        }
        catch (Exception error) when (error is EndOfStreamException or FormatException or ArgumentException)
        {
            throw new InvalidDataException("a row of the journal cannot be read", error);
        }
    }

    private void Write(BinaryWriter row, Measurement measurement)
    {
        var flags =
            (int)measurement.Type
            | (measurement.IsItem ? IsItem : 0)
            | (measurement.Unit is null ? 0 : HasUnit)
            | (measurement.Timestamp is null ? 0 : HasTimestamp);
        row.Write((byte)flags);
        Write(row, measurement.Metric);
        row.Write(measurement.Value);
        row.Write7BitEncodedInt(measurement.Tags.Count);
        foreach (var tag in measurement.Tags)
        {
            Write(row, tag);
        }

        if (measurement.Unit is { } unit)
        {
            Write(row, unit);
        }

        if (measurement.Timestamp is { } at)
        {
            row.Write(at.UtcTicks);
        }
    }

    private void Write(BinaryWriter row, EncodedSignal signal)
    {
        Write(row, signal.Lane.Name);
        row.Write(signal.At.UtcTicks);
        row.Write7BitEncodedInt(signal.Bytes.Length);
        row.Write(signal.Bytes.Span);
    }

    private void Write(BinaryWriter row, string text)
    {
        if (_written.TryGetValue(text, out var number))
        {
            row.Write7BitEncodedInt(number);
            return;
        }
        _written.Add(text, _written.Count + 1);
        row.Write7BitEncodedInt(0);
        row.Write(text);
    }

    private static Measurement Read(BinaryReader row, List<string> known)
    {
        var flags = row.ReadByte();
        var metric = ReadText(row, known);
        var value = row.ReadDouble();
        var tags = new List<string>();
        for (var left = row.Read7BitEncodedInt(); left > 0; left--)
        {
            tags.Add(ReadText(row, known));
        }

        var measurement = new Measurement(metric, (MetricType)(flags & TypeBits), value, tags)
        {
            IsItem = (flags & IsItem) != 0,
            Unit = (flags & HasUnit) != 0 ? ReadText(row, known) : null,
            Timestamp = (flags & HasTimestamp) != 0 ? new DateTimeOffset(row.ReadInt64(), TimeSpan.Zero) : null,
        };
        if ((flags & HasId) != 0)
        {
            row.ReadString();
        }

        return measurement;
    }

    private static EncodedSignal ReadSignal(BinaryReader row, List<string> known)
    {
        var lane = Lane.Named(ReadText(row, known));
        var at = new DateTimeOffset(row.ReadInt64(), TimeSpan.Zero);
        var length = row.Read7BitEncodedInt();
        var bytes = row.ReadBytes(length);
        return bytes.Length == length ? new EncodedSignal(lane, at, bytes) : throw new EndOfStreamException();
    }

    private static string ReadText(BinaryReader row, List<string> known)
    {
        var number = row.Read7BitEncodedInt();
        if (number > 0)
        {
            return known[number - 1];
        }

        known.Add(row.ReadString());
        return known[^1];
    }
}
