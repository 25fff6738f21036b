using Shouldly;
using StreamSpace.PluginHost.Checks;
using StreamSpace.PluginHost.Commands;
using StreamSpace.PluginHost.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What the command <c>check</c> looks at, shows and ends with.</summary>
public sealed class CheckTableTests
{
    private static readonly CheckFinding[] Findings =
    [
        new("one thing", CheckVerdict.Good, "It is as it should be, and so on and so on."),
        new("another", CheckVerdict.Warning, "It is half well.", "Look at it."),
        new("a third", CheckVerdict.Error, "It is ill.", "Apply this:\nkind: Role"),
    ];

    [Theory]
    [InlineData(0, false, CheckVerdict.Good)]
    [InlineData(0, false, CheckVerdict.Good, CheckVerdict.Warning)]
    [InlineData(2, true, CheckVerdict.Good, CheckVerdict.Warning)]
    [InlineData(1, false, CheckVerdict.Warning, CheckVerdict.Error, CheckVerdict.Good)]
    [InlineData(1, true, CheckVerdict.Warning, CheckVerdict.Error, CheckVerdict.Good)]
    public void TheExitCodeIsZeroUnlessSomethingIsWrongOrDenied(
        int code,
        bool denyWarnings,
        params CheckVerdict[] verdicts
    )
    {
        var findings = verdicts.Select((v, i) => new CheckFinding($"thing {i}", v, "Found so.", "Mend it.")).ToList();
        CheckCommand.ExitCode(findings, denyWarnings).ShouldBe(code);
    }

    [Fact]
    public void PipedEachFindingIsOneLineThatBeginsWithAWord()
    {
        var lines = CheckTable.Of(Findings, Terminal.None).Split('\n');
        lines[0].ShouldBe("ok       one thing  It is as it should be, and so on and so on.");
        lines[1].ShouldBe("warning  another    It is half well.");
        lines[2].Trim().ShouldBe("→ Look at it.");
        lines.Count(l => l == "kind: Role").ShouldBe(1);
    }

    [Fact]
    public void OnAScreenEachHasATickAndStaysWithinItsWidth()
    {
        var lines = CheckTable.Of(Findings, new Terminal(IsScreen: true, HasColour: false, Width: 40)).Split('\n');
        lines[0].ShouldBe("✓ one thing: It is as it should be, and");
        lines[1].ShouldBe("  so on and so on.");
        lines[2].ShouldBe("! another: It is half well.");
        lines[4].ShouldBe("✗ a third: It is ill.");
        CheckTable
            .Of(Findings, new Terminal(IsScreen: true, HasColour: true, Width: 40))
            .ShouldContain("\u001B[31m✗\u001B[0m");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ASourceThatIsNotConfiguredIsARowWithTheMetricsItCosts(bool isAttached)
    {
        var settings = TestHost.NewSettings() with
        {
            Environment = isAttached
                ? new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret }
                : [],
        };
        var findings = await new CheckRun(settings, TimeProvider.System, () => 0.5).AllAsync(
            TestContext.Current.CancellationToken
        );
        Of("kubernetes").ShouldContain("cpu_usage");
        Of("postgresql").ShouldContain("streamspace.users.total");
        Of("nats").ShouldContain("no metric is missing");
        findings.Any(f => f.Found.Contains("only the demo", StringComparison.Ordinal)).ShouldBe(!isAttached);
        findings.Where(f => f.Verdict is not CheckVerdict.Good).ShouldAllBe(f => f.Fix != null);

        string Of(string what) => findings.Single(f => f.What == what).Found;
    }
}
