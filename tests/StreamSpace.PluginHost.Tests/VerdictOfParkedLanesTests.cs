using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>The states of docs/status.md that are over half a minute after they were mended, beside all others.</summary>
public sealed class VerdictOfParkedLanesTests() : VerdictTable(postgres: null)
{
    /// <summary>What is asked anew every half a minute.</summary>
    public static TheoryData<string> Cases { get; } =
    ["API key refused", "product refused", "a proxy's page answers", "this machine's clock is two hours off"];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task TheHostSaysOfAStateWhatTheTableSays(string state) => SaysWhatTheTableSaysAsync(state);
}
