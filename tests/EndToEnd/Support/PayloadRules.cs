using AgentlessDatadog.Tests.Support;
using Shouldly;

namespace EndToEnd.Support;

/// <summary>Reads every payload that a judge was sent back with a decoder of the tests' own, and holds it to Datadog's rules.</summary>
public static class PayloadRules
{
    private const int MaxWireBytes = 512_000;

    public static async Task HoldAsync(SandboxClient sandbox)
    {
        var check = new PayloadCheck();
        var payloads = (await sandbox.GetAsync("/sandbox/payloads?path=/*")).GetProperty("payloads");
        foreach (var payload in payloads.EnumerateArray())
        {
            // The sandbox keeps a body as it was before its compression.
            check.Look(
                payload.GetProperty("path").GetString()!,
                encoding: null,
                payload.GetProperty("body").GetBytesFromBase64(),
                payload.GetProperty("time").GetDateTimeOffset()
            );
            payload.GetProperty("wire_bytes").GetInt32().ShouldBeLessThanOrEqualTo(MaxWireBytes);
            payload.GetProperty("status").GetInt32().ShouldBeInRange(200, 299);
        }
        check.Errors.ShouldBeEmpty();
        payloads
            .EnumerateArray()
            .Count(p => p.GetProperty("path").GetString() == "/api/v2/series")
            .ShouldBeGreaterThan(0);
    }
}
