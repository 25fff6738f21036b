using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>StreamSpace in Datadog's software catalogue.</summary>
internal static class ServiceEntity
{
    public static Asset Of(Installation installation) =>
        new(
            AssetKind.Entity,
            installation.Service,
            $"service:{installation.Service}",
            new JsonObject
            {
                ["apiVersion"] = "v3",
                ["kind"] = "service",
                ["metadata"] = new JsonObject
                {
                    ["name"] = installation.Service,
                    ["displayName"] = "StreamSpace",
                    ["tags"] = new JsonArray(Marker.ManagedBy),
                    ["links"] = new JsonArray(
                        Link("StreamSpace", "repo", "https://github.com/JoshuaAFerguson/streamspace"),
                        Link("Documentation", "doc", "https://docs.streamspace.io/plugins/datadog")
                    ),
                },
                ["spec"] = new JsonObject
                {
                    ["type"] = "web",
                    ["lifecycle"] = "production",
                    ["languages"] = new JsonArray("go"),
                },
                ["datadog"] = new JsonObject
                {
                    ["events"] = new JsonArray(
                        new JsonObject { ["name"] = "Sessions and users", ["query"] = "source:streamspace" }
                    ),
                },
            }
        );

    private static JsonObject Link(string name, string type, string url) =>
        new()
        {
            ["name"] = name,
            ["type"] = type,
            ["url"] = url,
        };
}
