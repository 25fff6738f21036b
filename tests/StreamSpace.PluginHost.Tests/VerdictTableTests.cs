using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>The states of docs/status.md.</summary>
public sealed class VerdictTableTests() : VerdictTable(postgres: null)
{
    /// <summary>All that the other classes do not bring about.</summary>
    public static TheoryData<string> Cases => [.. States.Except(Elsewhere)];

    private static IEnumerable<string> Elsewhere =>
        VerdictOfRowsTests.Cases.Concat(VerdictOfParkedLanesTests.Cases).Select(row => row.Data);

    [Theory]
    [MemberData(nameof(Cases))]
    public Task TheHostSaysOfAStateWhatTheTableSays(string state) => SaysWhatTheTableSaysAsync(state);

    [Fact]
    public void NoStateIsBroughtAboutThatTheTableDoesNotHave() => Elsewhere.Except(States).ShouldBeEmpty();
}
