using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// The measurements of one append as bytes: a version, then each of them. Metric names, units and tags repeat, so the
/// second time one is written as a number. Belongs to one thread.
/// </summary>
internal sealed class JournalRow
{
    private const byte Version = 1;

    // What a measurement has beside its type, in the bits above it.
    private const int TypeBits = 0b0000_0011;
    private const int IsItem = 0b0000_0100;
    private const int HasUnit = 0b0000_1000;
    private const int HasTimestamp = 0b0001_0000;

    // Not written any more: what counts once does so without an id.
    private const int HasId = 0b0010_0000;

    private readonly Dictionary<string, int> _written = new(StringComparer.Ordinal);

    public byte[] Encode(IReadOnlyList<Measurement> measurements)
    {
        _written.Clear();
        using var bytes = new MemoryStream();
        using var row = new BinaryWriter(bytes);
        row.Write(Version);
        row.Write7BitEncodedInt(measurements.Count);
        foreach (var measurement in measurements)
            Write(row, measurement);
        return bytes.ToArray();
    }

    /// <exception cref="InvalidDataException">It is not what <see cref="Encode"/> writes.</exception>
    public static List<Measurement> Decode(byte[] bytes)
    {
        try
        {
            using var row = new BinaryReader(new MemoryStream(bytes));
            var version = row.ReadByte();
            if (version != Version)
                throw new InvalidDataException($"a row of the journal has the version {version}");
            var count = row.Read7BitEncodedInt();
            List<Measurement> measurements = [];
            List<string> known = [];
            for (var i = 0; i < count; i++)
                measurements.Add(Read(row, known));
            return measurements;
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
            Write(row, tag);
        if (measurement.Unit is { } unit)
            Write(row, unit);
        if (measurement.Timestamp is { } at)
            row.Write(at.UtcTicks);
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
            tags.Add(ReadText(row, known));
        var measurement = new Measurement(metric, (MetricType)(flags & TypeBits), value, tags)
        {
            IsItem = (flags & IsItem) != 0,
            Unit = (flags & HasUnit) != 0 ? ReadText(row, known) : null,
            Timestamp = (flags & HasTimestamp) != 0 ? new DateTimeOffset(row.ReadInt64(), TimeSpan.Zero) : null,
        };
        if ((flags & HasId) != 0)
            row.ReadString();
        return measurement;
    }

    private static string ReadText(BinaryReader row, List<string> known)
    {
        var number = row.Read7BitEncodedInt();
        if (number > 0)
            return known[number - 1];
        known.Add(row.ReadString());
        return known[^1];
    }
}
