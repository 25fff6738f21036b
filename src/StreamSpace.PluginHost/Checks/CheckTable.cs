using StreamSpace.PluginHost.Commands;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Checks;

/// <summary>
/// Findings for people, with the fix below each thing that is not well: on a screen as paragraphs of its width, else as a
/// table of one line each. What follows the first line of a fix is a text to apply: it comes after the findings, once,
/// however many things it mends.
/// </summary>
internal static class CheckTable
{
    /// <param name="findings">One at least.</param>
    /// <param name="terminal">What shows it.</param>
    public static string Of(IReadOnlyList<CheckFinding> findings, Terminal terminal)
    {
        var errors = findings.Count(f => f.Verdict is CheckVerdict.Error);
        var warnings = findings.Count(f => f.Verdict is CheckVerdict.Warning);
        var width = findings.Max(f => f.What.Length);
        return string.Join(
            Environment.NewLine,
            [
                .. findings.SelectMany(f => terminal.IsScreen ? Paragraph(f, terminal) : Row(f, width)),
                .. Texts(findings).Select(text => $"\n# kubectl apply -f - grants what is missing:\n{text}\n"),
                errors > 0 ? $"Errors: {errors}. Warnings: {warnings}."
                : warnings > 0 ? $"All that is needed is well. Warnings: {warnings}."
                : "All is well.",
            ]
        );
    }

    private static IEnumerable<string> Paragraph(CheckFinding finding, Terminal terminal)
    {
        var mark = finding.Verdict switch
        {
            CheckVerdict.Good => terminal.Tell(Tone.Good, "✓"),
            CheckVerdict.Warning => terminal.Tell(Tone.Middling, "!"),
            _ => terminal.Tell(Tone.Bad, "✗"),
        };
        yield return $"{mark} {terminal.Wrap($"{finding.What}: {finding.Found}", 2)}";
        if (FirstLine(finding.Fix) is { } fix)
        {
            yield return $"  → {terminal.Wrap(fix, 4)}";
        }
    }

    private static IEnumerable<string> Row(CheckFinding finding, int width)
    {
        var mark = finding.Verdict switch
        {
            CheckVerdict.Good => "ok     ",
            CheckVerdict.Warning => "warning",
            _ => "FAULT  ",
        };
        yield return OneLine.Of($"{mark}  {finding.What.PadRight(width)}  {finding.Found}");
        if (FirstLine(finding.Fix) is { } fix)
        {
            yield return OneLine.Of($"{new string(' ', width + 11)}→ {fix}");
        }
    }

    private static string? FirstLine(string? fix) => fix?.Split('\n')[0];

    private static IEnumerable<string> Texts(IEnumerable<CheckFinding> findings) =>
        findings
            .Select(f => f.Fix?.Split('\n', 2) is [_, var text] ? text : null)
            .OfType<string>()
            .Distinct(StringComparer.Ordinal);
}
