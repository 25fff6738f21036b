using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Provisioning;
using StreamSpace.Datadog.Tests.Support;
using Xunit;

namespace StreamSpace.Datadog.Tests.Provisioning;

/// <summary>Without the keys there is no run, and one is told what is missing.</summary>
public sealed class ObstacleTests
{
    [Fact]
    public void WithoutAnApplicationKeyOneIsToldWhichRightsItNeeds()
    {
        var obstacle = Obstacle($$"""{"site":"datadoghq.eu","apiKey":"{{Secret.ApiKey}}"}""")!;
        obstacle.ShouldContain("DD_APP_KEY");
        foreach (var kind in Enum.GetValues<AssetKind>())
        {
            AccountProvisioning.Rights.ShouldContain(Provisioner.AccountOf(kind, null!, Installation.Standard).Right);
        }
        obstacle.ShouldContain(AccountProvisioning.Rights);
    }

    [Fact]
    public void WithoutAnApiKeyOneIsToldThat() =>
        Obstacle($$"""{"site":"datadoghq.eu","appKey":"{{Secret.AppKey}}"}""")!.ShouldContain("DD_API_KEY");

    [Fact]
    public void WithBothOrInTheSandboxNothingIsInTheWay()
    {
        Obstacle($$"""{"site":"datadoghq.eu","apiKey":"{{Secret.ApiKey}}","appKey":"{{Secret.AppKey}}"}""")
            .ShouldBeNull();
        Obstacle("""{"site":"sandbox"}""").ShouldBeNull();
    }

    private static string? Obstacle(string config)
    {
        var nothing = new Dictionary<string, string>();
        var read = new ConfigReader(
            Manifests.Ours().ConfigSchema,
            nothing,
            new KeyFiles(nothing),
            new Uri("http://127.0.0.1:8091")
        ).Read(new((JsonObject)JsonNode.Parse(config)!), out _);
        read.ShouldNotBeNull();
        return new AccountProvisioning(
            new HostStandIn(),
            () => read,
            _ => throw new InvalidOperationException("Nobody is asked.")
        ).Obstacle;
    }
}
