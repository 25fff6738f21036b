using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Resources as Kubernetes writes them.</summary>
internal static class FakeResource
{
    public static JsonObject New(string kind, string @namespace, string name, int uid, string second) =>
        new()
        {
            ["apiVersion"] = kind switch
            {
                "sessions" => "stream.space/v1alpha1",
                "deployments" => "apps/v1",
                _ => "v1",
            },
            ["kind"] = KindOf(kind),
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = @namespace,
                ["uid"] = $"00000000-0000-4000-8000-{uid:D12}",
                ["creationTimestamp"] = second,
            },
        };

    public static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    public static string Line(string type, JsonNode resource) =>
        new JsonObject { ["type"] = type, ["object"] = resource.DeepClone() }.ToJsonString();

    public static JsonObject Bare(string kind, long version) =>
        new()
        {
            ["kind"] = KindOf(kind),
            ["metadata"] = new JsonObject { ["resourceVersion"] = Text(version), ["creationTimestamp"] = null },
        };

    private static string KindOf(string kind) =>
        kind switch
        {
            "sessions" => "Session",
            "deployments" => "Deployment",
            _ => "Pod",
        };

    public static bool Has(JsonObject? resource, (string Key, string Value)? label) =>
        resource is not null
        && (label is not { } wanted || (string?)resource["metadata"]?["labels"]?[wanted.Key] == wanted.Value);
}
