using System.Text.Json.Nodes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Something that has changed in a <see cref="FakeCluster"/>.</summary>
internal sealed record FakeChange(
    long Version,
    string Kind,
    string Namespace,
    string Type,
    JsonObject Now,
    JsonObject? Before
)
{
    public string AsLine => FakeResource.Line(Type, Now);
}
