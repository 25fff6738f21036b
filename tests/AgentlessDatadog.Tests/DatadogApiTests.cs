using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>Calls that a program makes itself go where its telemetry goes, and nowhere else.</summary>
public sealed class DatadogApiTests
{
    [Theory]
    [InlineData(null, "https://api.datadoghq.eu/")]
    [InlineData("http://127.0.0.1:8091", "http://127.0.0.1:8091/")]
    [InlineData("http://127.0.0.1:8091/in/front/", "http://127.0.0.1:8091/in/front/")]
    public void TheClientHasTheAddressOfTheFarEndAndItsKey(string? intakeUrl, string address)
    {
        using var client = DatadogApi.Connect(
            new TelemetryOptions
            {
                Site = "datadoghq.eu",
                ApiKey = Secret.ApiKey,
                IntakeUrl = intakeUrl is null ? null : new Uri(intakeUrl),
            }
        );
        client.BaseAddress.ShouldBe(new Uri(address));
        client.DefaultRequestHeaders.GetValues("DD-API-KEY").ShouldBe([Secret.ApiKey]);
    }

    [Fact]
    public void AnOptionThatCannotBeUsedIsNamed() =>
        Should
            .Throw<ArgumentException>(() => DatadogApi.Connect(new TelemetryOptions { ApiKey = "a b" }))
            .ParamName.ShouldBe("ApiKey");
}
