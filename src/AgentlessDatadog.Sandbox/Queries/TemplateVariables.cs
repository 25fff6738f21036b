using System.Text.Json;
using System.Text.RegularExpressions;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>What stands for a dashboard's template variables while somebody looks at it.</summary>
/// <param name="Name">As in <c>$env</c>.</param>
/// <param name="Prefix">The key of the tag; empty where the values are whole tags.</param>
/// <param name="Values">What is chosen; <c>*</c>, or nothing, for everything.</param>
internal sealed record TemplateVariable(string Name, string Prefix, IReadOnlyList<string> Values)
{
    /// <summary>What is put in the place of the variable in a scope.</summary>
    public string Scope =>
        Values.Count == 0 || Values.Contains("*") ? "*"
        : Values.Count == 1 ? TagOf(Values[0])
        : $"({string.Join(" OR ", Values.Select(TagOf))})";

    /// <summary>What is put in the place of <c>$env.value</c>: of several values the first.</summary>
    public string Value => Values.Count == 0 ? "*" : Values[0];

    private string TagOf(string value) => Prefix.Length == 0 ? value : $"{Prefix}:{value}";
}

/// <summary>Puts what stands for template variables into the text of a query, as a dashboard does before it asks.</summary>
internal static partial class TemplateVariables
{
    /// <summary>Where a body holds them.</summary>
    public const string Field = "template_variables";

    private const int MaxVariables = 50;

    /// <summary>What a body says stands for them: <c>[{"name","prefix","values"}]</c>.</summary>
    /// <exception cref="ApiError">400: it is not that.</exception>
    public static List<TemplateVariable> Of(JsonElement body)
    {
        JsonShape.Expect(body, JsonValueKind.Object, "payload", "an object");
        var variables = new List<TemplateVariable>();
        if (JsonShape.Optional(body, Field, JsonValueKind.Array, "payload", "a list") is not { } list)
        {
            return variables;
        }
        if (list.GetArrayLength() > MaxVariables)
        {
            throw JsonShape.Wrong($"payload.{Field}", $"a list of {MaxVariables} at most");
        }
        foreach (var one in list.EnumerateArray())
        {
            var path = $"payload.{Field}[{variables.Count}]";
            JsonShape.Expect(one, JsonValueKind.Object, path, "an object");
            variables.Add(
                new TemplateVariable(
                    JsonShape.RequiredText(one, "name", path),
                    JsonShape.OptionalText(one, "prefix", path) ?? "",
                    JsonShape.Strings(one, "values", path)
                )
            );
        }
        return variables;
    }

    /// <summary>A variable that there is not stays, and is refused where the query is read.</summary>
    /// <exception cref="ApiError">400: it would be too long for a query.</exception>
    public static string Apply(string query, IReadOnlyList<TemplateVariable> variables)
    {
        var length = query.Length;
        return Variable()
            .Replace(
                query,
                found =>
                {
                    if (variables.FirstOrDefault(one => one.Name == found.Groups["name"].Value) is not { } variable)
                    {
                        return found.Value;
                    }
                    var text = found.Groups["value"].Success ? variable.Value : variable.Scope;
                    // Before it is put in: long values in many places would be gigabytes.
                    QueryCursor.RequireLength(length += text.Length - found.Length);
                    return text;
                }
            );
    }

    [GeneratedRegex(@"\$(?<name>[A-Za-z0-9_-]+)(?<value>\.value)?")]
    private static partial Regex Variable();
}
