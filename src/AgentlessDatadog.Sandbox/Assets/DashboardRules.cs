using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Schemas;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>What Datadog takes for a dashboard and what it makes of it (docs/reference/datadog.md §8.2).</summary>
internal static class DashboardRules
{
    private const int MaxSlug = 80;
    private const string Group = "group";

    // What an answer holds besides what the published schema takes, so that an answer can be sent back.
    private static readonly string[] Answered = ["deleted_at", "is_read_only"];

    /// <exception cref="ApiError">400: Datadog would refuse it, in Datadog's words where they are known.</exception>
    public static void Require(JsonElement sent)
    {
        JsonShape.Expect(sent, JsonValueKind.Object, "payload", "an object");
        RequireWidgets(sent);
        RequireTags(sent);
        RequireVariables(sent);
        AssetJson.Require(sent, OpenApiSchema.V1, "Dashboard", Answered);
        RequireLayout(sent);
    }

    /// <summary>The dashboard as it is answered from now on.</summary>
    /// <param name="sent">What passed <see cref="Require"/>.</param>
    /// <param name="id">Its id.</param>
    /// <param name="created">When it was made, as the answer says it.</param>
    /// <param name="modified">Now, likewise.</param>
    /// <param name="newId">Gives the ids of widgets that have none.</param>
    public static Asset Make(JsonElement sent, string id, string created, string modified, Func<long> newId)
    {
        var title = sent.TextOf("title")!;
        var body = new JsonObject
        {
            ["id"] = id,
            ["title"] = title,
            ["description"] = sent.NodeOf("description"),
            ["author_handle"] = AssetJson.Author,
            ["author_name"] = null,
            ["layout_type"] = sent.NodeOf("layout_type"),
            ["url"] = $"/dashboard/{id}/{SlugOf(title)}",
            ["template_variables"] = sent.NodeOf("template_variables"),
            ["widgets"] = Widgets(sent, newId),
            ["notify_list"] = sent.NodeOf("notify_list"),
            ["created_at"] = created,
            ["modified_at"] = modified,
        };
        foreach (
            var optional in (string[])["template_variable_presets", "reflow_type", "tags", "default_timeframe", "tabs"]
        )
        {
            if (sent.NodeOf(optional) is { } value)
            {
                body[optional] = value;
            }
        }
        body["restricted_roles"] = sent.NodeOf("restricted_roles") ?? new JsonArray();
        return new Asset(id, JsonSerializer.SerializeToElement(body));
    }

    /// <summary>True when one of its widgets, in a group or not, shows this SLO.</summary>
    public static bool Shows(Asset dashboard, string slo) =>
        dashboard
            .Body.ItemsOf("widgets")
            .SelectMany(widget => widget.GetProperty("definition").ItemsOf("widgets").Prepend(widget))
            .Any(widget => widget.GetProperty("definition").TextOf("slo_id") == slo);

    private static void RequireWidgets(JsonElement sent)
    {
        var position = 0;
        foreach (var widget in sent.ItemsOf("widgets"))
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"widget definition at position {position++}");
            if (ErrorIn(widget) is { } error)
            {
                throw ApiError.BadRequest($"Invalid {place} of type {TypeOf(widget)}. Error: {error}.");
            }
        }
    }

    private static string? ErrorIn(JsonElement widget)
    {
        var inner = 0;
        if (TypeOf(widget) == Group)
        {
            foreach (var one in widget.GetProperty("definition").ItemsOf("widgets"))
            {
                // A group holds widgets that are none.
                var error =
                    TypeOf(one) == Group
                        ? "a group holds no group"
                        : OpenApiSchema.V1.ErrorIn(one, "Widget")?.ToString();
                if (error is not null)
                {
                    return string.Create(
                        CultureInfo.InvariantCulture,
                        $"Invalid inner widget definition at position {inner} of type {TypeOf(one)}. Error: {error}"
                    );
                }
                inner++;
            }
        }
        return OpenApiSchema.V1.ErrorIn(widget, "Widget")?.ToString();
    }

    private static string TypeOf(JsonElement widget) =>
        widget.Has("definition", JsonValueKind.Object, out var definition)
            ? definition.TextOf("type") ?? "None"
            : "None";

    private static void RequireTags(JsonElement sent)
    {
        if (sent.TextsOf("tags").Any(tag => !tag.StartsWith("team:", StringComparison.Ordinal)))
        {
            throw ApiError.BadRequest("Invalid tag format. Valid tag keys are: team.");
        }
    }

    private static void RequireVariables(JsonElement sent)
    {
        foreach (var variable in sent.ItemsOf("template_variables"))
        {
            if (variable.TextOf("default") is not null && variable.Has("defaults", JsonValueKind.Array, out _))
            {
                throw ApiError.BadRequest("'template_variables' is invalid");
            }
            RequireFilled(variable, "defaults");
        }
        foreach (
            var value in sent.ItemsOf("template_variable_presets")
                .SelectMany(preset => preset.ItemsOf("template_variables"))
        )
        {
            if (value.TextOf("value") is not null && value.Has("values", JsonValueKind.Array, out _))
            {
                throw ApiError.BadRequest($"'template_variables' value '{value.GetRawText()}' is invalid");
            }
            RequireFilled(value, "values");
        }
    }

    private static void RequireFilled(JsonElement variable, string list)
    {
        if (!variable.Has(list, JsonValueKind.Array, out var values))
        {
            return;
        }
        if (values.GetArrayLength() == 0)
        {
            throw ApiError.BadRequest($"Minimum number of elements in parameter '{list}' should be 1");
        }
        if (variable.TextsOf(list).Any(text => text.Length == 0))
        {
            throw ApiError.BadRequest($"Minimum length of parameter '{list}' should be 1");
        }
    }

    private static void RequireLayout(JsonElement sent)
    {
        var isFree = sent.TextOf("layout_type") == "free";
        var reflow = sent.TextOf("reflow_type");
        if (isFree && reflow is not null)
        {
            throw ApiError.BadRequest("'reflow_type' is only allowed when 'layout_type' is 'ordered'");
        }
        var position = 0;
        foreach (var widget in sent.ItemsOf("widgets"))
        {
            var hasLayout = widget.Has("layout", JsonValueKind.Object, out _);
            var error =
                !hasLayout && (isFree || reflow == "fixed") ? "'layout' is a required property"
                : hasLayout && reflow == "auto" ? "'layout' is not allowed when 'reflow_type' is 'auto'"
                : null;
            if (error is not null)
            {
                throw ApiError.BadRequest(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Invalid widget at position {position}. Error: {error}"
                    )
                );
            }
            position++;
        }
    }

    private static JsonArray Widgets(JsonElement parent, Func<long> newId) =>
        new([
            .. parent
                .ItemsOf("widgets")
                .Select(widget =>
                {
                    var node = JsonObject.Create(widget.Clone())!;
                    if (node["definition"] is JsonObject { } definition && TypeOf(widget) == Group)
                    {
                        definition["widgets"] = Widgets(widget.GetProperty("definition"), newId);
                    }
                    node["id"] ??= newId();
                    return (JsonNode)node;
                }),
        ]);

    /// <summary>The title in small letters and hyphens.</summary>
    private static string SlugOf(string title)
    {
        var slug = new StringBuilder();
        foreach (var c in title)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '-')
            {
                slug.Append(char.ToLowerInvariant(c));
            }
            else if (c == ' ')
            {
                slug.Append('-');
            }
            if (slug.Length == MaxSlug)
            {
                break;
            }
        }
        return slug.ToString();
    }
}
