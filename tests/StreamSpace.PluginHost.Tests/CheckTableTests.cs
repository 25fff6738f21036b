using Shouldly;
using StreamSpace.PluginHost.Checks;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Tests;

public sealed class CheckTableTests
{
    [Theory]
    [InlineData(0, CheckVerdict.Good)]
    [InlineData(2, CheckVerdict.Good, CheckVerdict.Warning)]
    [InlineData(1, CheckVerdict.Warning, CheckVerdict.Fault, CheckVerdict.Good)]
    public async Task TheExitCodeIsZeroOnlyWhenAllIsWell(int code, params CheckVerdict[] verdicts)
    {
        var table = new StringWriter();
        var findings = verdicts.Select((v, i) => new CheckFinding($"thing {i}", v, "Found so.", "Mend it.")).ToList();
        (await CheckTable.WriteAsync(table, findings)).ShouldBe(code);
        table.ToString().Split("Found so.").Length.ShouldBe(verdicts.Length + 1);
    }
}
