using System.Globalization;

namespace AgentlessDatadog.Signals;

/// <summary>
/// What signals say by name, within bounds and without secrets: each name once, each value a text, a boolean, an integer or
/// a finite number.
/// </summary>
/// <param name="most">How many of one signal are kept.</param>
/// <param name="total">How many characters all of one signal have together, at most.</param>
/// <param name="secrets">Takes secrets out of texts.</param>
internal sealed class AttributeReader(int most, int total, SecretFilter secrets)
{
    private const int MaxName = 200;
    private const int MaxText = 25_000;

    // A program says the same names again and again; more than these are made up as it goes.
    private const int MostKnown = 500;

    private readonly Dictionary<string, (string Name, bool IsSecret)> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<KeyValuePair<string, object>> _kept = [];

    /// <summary>How many of the last signal were not kept.</summary>
    public int Dropped { get; private set; }

    /// <summary>Reads those of one signal; what comes back holds until the next is read.</summary>
    public IReadOnlyList<KeyValuePair<string, object>> Read(IReadOnlyList<KeyValuePair<string, object?>> attributes)
    {
        _kept.Clear();
        _names.Clear();
        Dropped = 0;
        var room = total;
        foreach (var (givenName, givenValue) in attributes)
        {
            if (givenValue is null || string.IsNullOrWhiteSpace(givenName))
            {
                continue;
            }

            var (name, isSecret) = Known(givenName);
            if (_kept.Count == most || !_names.Add(name))
            {
                Dropped++;
                continue;
            }
            var value = Plain(givenValue, isSecret);
            var size = name.Length + ((value as string)?.Length ?? sizeof(double));
            if (size > room)
            {
                Dropped++;
                continue;
            }
            room -= size;
            _kept.Add(new(name, value));
        }
        return _kept;
    }

    private (string Name, bool IsSecret) Known(string given)
    {
        if (_known.TryGetValue(given, out var known))
        {
            return known;
        }

        var name = Truncation.Cut(given, MaxName);
        known = (name, SecretFilter.IsSecret(name));
        if (_known.Count < MostKnown)
        {
            _known.Add(given, known);
        }

        return known;
    }

    private object Plain(object value, bool isSecret) =>
        value switch
        {
            bool => value,
            _ when isSecret => SecretFilter.Redacted,
            long => value,
            int or short or byte or sbyte or ushort or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            double number when double.IsFinite(number) => value,
            float number when float.IsFinite(number) => (double)number,
            _ => Text(value),
        };

    private string Text(object value)
    {
        var text = value is IFormattable formattable
            ? formattable.ToString(null, CultureInfo.InvariantCulture)
            : value.ToString() ?? "";
        return secrets.Filter(Truncation.CutWithMark(text, MaxText));
    }
}
