using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Tests.StreamSpaceRows;

/// <summary>What an operator reads of a plugin's row when he checks.</summary>
public sealed class PluginRowCheckTests
{
    private static readonly ConfigSchema Schema = new(
        JsonNode.Parse("""{"properties": {"apiKey": {"type": "string", "format": "password"}}}""")!.AsObject()
    );

    [Fact]
    public void ARowThatIsEnabledAndHoldsNoSecretIsGood() =>
        Findings(new PluginRow(true, """{"site": "x", "apiKey": ""}""", null))
            .ShouldHaveSingleItem()
            .Verdict.ShouldBe(CheckVerdict.Good);

    [Fact]
    public void OneThatIsDisabledSaysThatNothingIsSent() =>
        Findings(new PluginRow(false, "no JSON", null)).ShouldHaveSingleItem().Found.ShouldContain("nothing is sent");

    [Fact]
    public void ASecretInItIsNamedAndNotShown()
    {
        var secret = Findings(new PluginRow(true, $$"""{"apiKey": "{{Secret.ApiKey}}"}""", null))[^1];
        secret.Verdict.ShouldBe(CheckVerdict.Warning);
        secret.Found.ShouldContain("apiKey");
        TestRun.Search.LookAt("what is found", secret.ToString());
    }

    [Theory]
    [InlineData(nameof(PluginRowState.Absent), "register")]
    [InlineData(nameof(PluginRowState.Unreadable), null)]
    public void WhereThereIsNoneTheFixSaysWhatToDo(string state, string? fix)
    {
        var found = PluginRowCheck
            .Findings(
                new PluginRowReading(Enum.Parse<PluginRowState>(state), null, "It is so."),
                Schema,
                isUninstalled: false
            )
            .ToList();
        found.Select(f => f.Fix!.Contains(fix!, StringComparison.Ordinal)).ShouldBe(fix is null ? [] : [true]);
    }

    [Fact]
    public void OneThatIsTooLargeToBeReadSaysSoBesideItsSwitch() =>
        Findings(new PluginRow(false, Config: null, null))
            .Select(f => f.Fix)
            .ShouldBe(["Enable it there.", "Write a smaller config."]);

    [Fact]
    public void ThatItWasUninstalledIsSaid()
    {
        var reading = new PluginRowReading(PluginRowState.Absent, null, "It is so.");
        PluginRowCheck.Findings(reading, Schema, isUninstalled: true).Single().Found.ShouldContain("uninstalled");
    }

    private static List<CheckFinding> Findings(PluginRow row) =>
        [
            .. PluginRowCheck.Findings(
                new PluginRowReading(PluginRowState.Present, row, "Read."),
                Schema,
                isUninstalled: false
            ),
        ];
}
