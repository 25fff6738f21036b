using System.Text;
using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog.Pipeline;

/// <summary>What all series of one name have in common.</summary>
internal sealed class Metric(SeriesTable table, string name, MetricType type, DateTimeOffset since, bool isSelf)
{
    private string? _unit;

    public SeriesTable Table { get; } = table;

    public string Name { get; } = name;

    public MetricType Type { get; } = type;

    public DateTimeOffset Since { get; } = since;

    /// <summary>Whether it is about the pipeline itself, and so no part of the ledger.</summary>
    public bool IsSelf { get; } = isSelf;

    /// <summary>Distinct series of it. Guarded by the table's lock.</summary>
    public int Series { get; set; }

    /// <summary>Type and unit as protobuf fields 5 and 6 of a MetricSeries.</summary>
    public byte[] Trailer { get; private set; } = Encode(type, null);

    public void UseUnit(string? unit)
    {
        if (unit is null || unit == _unit)
        {
            return;
        }

        _unit = unit;
        Trailer = Encode(Type, unit);
    }

    public string? TypeError(MetricType other) => TypeError(Name, Type, Since, other);

    /// <summary>Why a name that has a type cannot have another one, or null where it is the same.</summary>
    public static string? TypeError(string name, MetricType type, DateTimeOffset since, MetricType other) =>
        type == other
            ? null
            : $"{name} is a {Word(type)} since {since:yyyy-MM-ddTHH:mm:ssZ}, it cannot also be a {Word(other)}";

    private static string Word(MetricType type) => type.ToString().ToLowerInvariant();

    private static byte[] Encode(MetricType type, string? unit)
    {
        var number = type switch
        {
            MetricType.Count => 1,
            MetricType.Rate => 2,
            _ => 3,
        };
        byte[] head = [SeriesWire.TypeField, (byte)number];
        if (unit is null)
        {
            return head;
        }

        var text = Encoding.UTF8.GetBytes(unit);
        return [.. head, SeriesWire.UnitField, (byte)text.Length, .. text];
    }
}
