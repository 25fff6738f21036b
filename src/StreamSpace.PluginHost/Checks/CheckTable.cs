using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Checks;

/// <summary>
/// Findings as a table for a terminal, with the fix below each thing that is not well. What follows the first line of a
/// fix is a text to apply: it comes after the table, once, however many things it mends.
/// </summary>
internal static class CheckTable
{
    /// <summary>Writes the table; returns the exit code: 0 all is well, 1 something is at fault, 2 there are warnings alone.</summary>
    public static async Task<int> WriteAsync(TextWriter output, IReadOnlyList<CheckFinding> findings)
    {
        var width = findings.Max(f => f.What.Length);
        foreach (var finding in findings)
        {
            var mark = finding.Verdict switch
            {
                CheckVerdict.Good => "ok     ",
                CheckVerdict.Warning => "warning",
                _ => "FAULT  ",
            };
            await output.WriteLineAsync(OneLine.Of($"{mark}  {finding.What.PadRight(width)}  {finding.Found}"));
            if (finding.Fix?.Split('\n', 2) is [var fix, ..])
            {
                await output.WriteLineAsync(OneLine.Of($"{new string(' ', width + 11)}→ {fix}"));
            }
        }
        foreach (var text in Texts(findings))
        {
            await output.WriteLineAsync($"\n# kubectl apply -f - grants what is missing:\n{text}\n");
        }
        var faults = findings.Count(f => f.Verdict is CheckVerdict.Fault);
        var warnings = findings.Count(f => f.Verdict is CheckVerdict.Warning);
        await output.WriteLineAsync(
            faults > 0 ? $"Faults: {faults}. Warnings: {warnings}."
            : warnings > 0 ? $"All that is needed is well. Warnings: {warnings}."
            : "All is well."
        );
        return faults > 0 ? 1
            : warnings > 0 ? 2
            : 0;
    }

    private static IEnumerable<string> Texts(IEnumerable<CheckFinding> findings) =>
        findings
            .Select(f => f.Fix?.Split('\n', 2) is [_, var text] ? text : null)
            .OfType<string>()
            .Distinct(StringComparer.Ordinal);
}
