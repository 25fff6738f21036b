using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>One field that is at Datadog otherwise than we want it.</summary>
/// <param name="Path">Where, as in <c>options.thresholds.critical</c>.</param>
/// <param name="Now">What is there; null for nothing.</param>
/// <param name="Wanted">What we want.</param>
internal sealed record Difference(string Path, JsonNode? Now, JsonNode? Wanted)
{
    /// <summary>The list whose order means nothing, and in which more than ours may be.</summary>
    public const string Tags = "tags";

    /// <summary>All of them, of the fields that we set: what Datadog or somebody adds is none.</summary>
    public static IReadOnlyList<Difference> Between(JsonNode? now, JsonNode? wanted) => [.. Between(now, wanted, "")];

    /// <summary>Whether there is none either way: nobody has added anything to the tags.</summary>
    public static bool IsNone(JsonObject now, JsonObject wanted) =>
        Between(now, wanted).Count == 0 && (now[Tags] as JsonArray)?.Count == (wanted[Tags] as JsonArray)?.Count;

    private static IEnumerable<Difference> Between(JsonNode? now, JsonNode? wanted, string path) =>
        (now, wanted) switch
        {
            (JsonObject there, JsonObject ours) => ours.SelectMany(field =>
                Between(there[field.Key], field.Value, path.Length == 0 ? field.Key : $"{path}.{field.Key}")
            ),
            (JsonArray there, JsonArray ours)
                when path == Tags || path.EndsWith($".{Tags}", StringComparison.Ordinal) => ours.All(tag =>
                there.Any(t => JsonNode.DeepEquals(t, tag))
            )
                ? []
                : [new Difference(path, now, wanted)],
            (JsonArray there, JsonArray ours) when there.Count == ours.Count => ours.SelectMany(
                (item, i) => Between(there[i], item, $"{path}[{i}]")
            ),
            _ => AreEqual(now, wanted) ? [] : [new Difference(path, now, wanted)],
        };

    // 90 and 90.0 are one number.
    private static bool AreEqual(JsonNode? now, JsonNode? wanted) =>
        JsonNode.DeepEquals(now, wanted)
        || (
            now?.GetValueKind() is JsonValueKind.Number
            && wanted?.GetValueKind() is JsonValueKind.Number
            && NumberOf(now).Equals(NumberOf(wanted))
        );

    private static double NumberOf(JsonNode number) =>
        JsonDocument.Parse(number.ToJsonString()).RootElement.GetDouble();
}
