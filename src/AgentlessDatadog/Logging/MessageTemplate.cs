using System.Collections;
using System.Collections.Concurrent;

namespace AgentlessDatadog.Logging;

/// <summary>
/// A template of a log message, as in <c>Lane {Lane} waits {Seconds} s</c>: its literal parts stand as the programmer wrote
/// them, what fills its holes cannot act (<see cref="EventText"/>).
/// </summary>
internal sealed class MessageTemplate
{
    // Those that a program is written with; more than that are made up as it goes.
    private const int MostKnown = 2_000;

    private static readonly ConcurrentDictionary<string, MessageTemplate> Known = new(StringComparer.Ordinal);

    private readonly List<Part> _parts = [];

    private MessageTemplate(string template)
    {
        var literal = "";
        for (var at = 0; at < template.Length; at++)
        {
            var next = at + 1 < template.Length ? template[at + 1] : '\0';
            if (template[at] is '{' or '}' && next == template[at])
            {
                literal += template[at++];
            }
            else if (template[at] == '{' && template.IndexOf('}', at) is > 0 and var end)
            {
                _parts.Add(new Part(literal, Hole: null, Format: null));
                literal = "";
                _parts.Add(Hole(template[(at + 1)..end]));
                at = end;
            }
            else
            {
                literal += template[at];
            }
        }
        _parts.Add(new Part(literal, Hole: null, Format: null));
    }

    private sealed record Part(string Literal, string? Hole, string? Format);

    public static MessageTemplate Of(string template)
    {
        if (Known.TryGetValue(template, out var known))
        {
            return known;
        }

        var parsed = new MessageTemplate(template);
        if (Known.Count < MostKnown)
        {
            Known.TryAdd(template, parsed);
        }

        return parsed;
    }

    /// <summary>The message; null: a hole has no value.</summary>
    public EventText? Fill(IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        var text = new EventText(0, _parts.Count);
        var used = new bool[values.Count];
        foreach (var (literal, hole, format) in _parts)
        {
            text.AppendLiteral(literal);
            if (hole is null)
            {
                continue;
            }

            var index = Enumerable
                .Range(0, values.Count)
                .FirstOrDefault(i => !used[i] && values[i].Key.Equals(hole, StringComparison.OrdinalIgnoreCase), -1);
            if (index < 0)
            {
                return null;
            }

            used[index] = true;
            Append(text, values[index].Value, format);
        }
        return text;
    }

    private static void Append(EventText text, object? value, string? format)
    {
        if (value is IEnumerable many and not string)
        {
            text.AppendFormatted(string.Join(", ", many.Cast<object?>()));
        }
        else if (value is EventText inert)
        {
            text.AppendFormatted(inert);
        }
        else
        {
            text.AppendFormatted(value ?? "(null)", format);
        }
    }

    // Name, alignment after a comma, format after a colon. Alignment is for columns, and a log has none.
    private static Part Hole(string hole)
    {
        var colon = hole.IndexOf(':', StringComparison.Ordinal);
        var name = (colon < 0 ? hole : hole[..colon]).Split(',')[0].TrimStart('@', '$');
        return new Part("", name, colon < 0 ? null : hole[(colon + 1)..]);
    }
}
