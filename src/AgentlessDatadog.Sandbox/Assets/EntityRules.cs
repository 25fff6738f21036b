using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Schemas;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>What Datadog takes for an entity of its catalogue and what it makes of it (docs/reference/datadog.md §8.6).</summary>
internal static class EntityRules
{
    private const string DefaultNamespace = "default";

    /// <exception cref="ApiError">400: Datadog would refuse it.</exception>
    public static void Require(JsonElement sent)
    {
        AssetJson.Require(sent, OpenApiSchema.V2, "EntityV3");
        if (string.IsNullOrEmpty(sent.GetProperty("metadata").TextOf("name")))
        {
            throw ApiError.BadRequest("Invalid payload: metadata.name must not be empty");
        }
    }

    /// <summary>What an entity is known by: <c>service:default/shop</c>.</summary>
    public static string ReferenceOf(JsonElement entity)
    {
        var metadata = entity.GetProperty("metadata");
        return $"{entity.TextOf("kind")}:{metadata.TextOf("namespace") ?? DefaultNamespace}/{metadata.TextOf("name")}";
    }

    /// <summary>The entity as a list answers it.</summary>
    /// <param name="sent">What passed <see cref="Require"/>.</param>
    /// <param name="id">Its id.</param>
    /// <param name="created">When it was made.</param>
    /// <param name="modified">Now.</param>
    public static Asset Make(JsonElement sent, string id, string created, string modified)
    {
        var metadata = sent.GetProperty("metadata");
        var attributes = new JsonObject
        {
            ["apiVersion"] = sent.NodeOf("apiVersion"),
            ["kind"] = sent.NodeOf("kind"),
            ["name"] = metadata.NodeOf("name"),
            ["namespace"] = metadata.TextOf("namespace") ?? DefaultNamespace,
        };
        foreach (var field in (string[])["displayName", "description", "owner", "tags"])
        {
            if (metadata.NodeOf(field) is { } value)
            {
                attributes[field] = value;
            }
        }
        var body = new JsonObject
        {
            ["id"] = id,
            ["type"] = "entity",
            ["attributes"] = attributes,
            ["relationships"] = new JsonObject
            {
                ["schema"] = new JsonObject
                {
                    ["data"] = new JsonObject { ["id"] = id, ["type"] = "schema" },
                },
            },
            ["meta"] = new JsonObject
            {
                ["createdAt"] = created,
                ["modifiedAt"] = modified,
                ["ingestionSource"] = "api",
                ["origin"] = "unknown",
            },
            // Not answered under this name: a list shows it under "included".
            ["schema"] = JsonSerializer.SerializeToNode(sent),
        };
        return new Asset(id, JsonSerializer.SerializeToElement(body));
    }
}
