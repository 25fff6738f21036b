using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>Findings as a table for a terminal, with the fix below each thing that is not well.</summary>
internal static class CheckTable
{
    /// <summary>Writes the table; true when nothing is at fault.</summary>
    public static async Task<bool> WriteAsync(TextWriter output, IReadOnlyList<CheckFinding> findings)
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
            await output.WriteLineAsync($"{mark}  {finding.What.PadRight(width)}  {finding.Found}");
            if (finding.Fix is { } fix)
            {
                await output.WriteLineAsync($"{new string(' ', width + 11)}→ {fix}");
            }
        }
        var faults = findings.Count(f => f.Verdict is CheckVerdict.Fault);
        var warnings = findings.Count(f => f.Verdict is CheckVerdict.Warning);
        await output.WriteLineAsync(
            faults > 0 ? $"{faults} fault(s), {warnings} warning(s)."
            : warnings > 0 ? $"All that is needed is well; {warnings} warning(s)."
            : "All is well."
        );
        return faults == 0;
    }
}
