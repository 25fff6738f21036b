using System.Text;
using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog.Pipeline;

/// <summary>Series are told apart by their encoded name and tags, so that neither is kept twice.</summary>
internal static class SeriesIdentity
{
    public static IEqualityComparer<Series> Comparer { get; } = new ByBytes();

    public static byte[] Encode(string? metric, string[] tags)
    {
        var buffer = new byte[SeriesWire.MeasureIdentity(metric, tags)];
        return buffer[..SeriesWire.WriteIdentity(buffer, metric, tags)];
    }

    public static string[] Tags(Series series)
    {
        var tags = new List<string>();
        ReadOnlySpan<byte> rest = series.Identity;
        while (SeriesWire.ReadText(ref rest, out var field, out var text))
        {
            if (field == SeriesWire.TagField)
            {
                tags.Add(Encoding.UTF8.GetString(text));
            }
        }
        return [.. tags];
    }

    private sealed class ByBytes : IEqualityComparer<Series>, IAlternateEqualityComparer<ReadOnlySpan<byte>, Series>
    {
        public bool Equals(Series? x, Series? y) => ReferenceEquals(x, y);

        public int GetHashCode(Series obj) => GetHashCode(obj.Identity);

        public bool Equals(ReadOnlySpan<byte> alternate, Series other) => alternate.SequenceEqual(other.Identity);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public Series Create(ReadOnlySpan<byte> alternate) =>
            throw new NotSupportedException("A series is made by its table.");
    }
}
