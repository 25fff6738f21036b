using System.Text.RegularExpressions;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Health;

/// <summary>
/// Logs what is found: a line when it begins, one when it is over, and while anything goes on the worst of it once a quarter of an
/// hour. What only counts on, or is said in other words, is no change.
/// </summary>
/// <param name="logger">Takes the lines; what is over is no warning to it.</param>
/// <param name="console">Says what is over where only warnings are shown.</param>
/// <param name="clock">Our clock.</param>
internal sealed partial class HealthLog(ILogger logger, StartupConsole console, TimeProvider clock)
{
    private static readonly TimeSpan Reminder = TimeSpan.FromMinutes(15);

    private List<CheckFinding> _current = [];
    private long _lastLine;

    /// <summary>Takes what is found now.</summary>
    public void Look(IEnumerable<CheckFinding> findings)
    {
        List<CheckFinding> now = [.. PluginVerdict.WorstFirst(findings.Where(f => f.Verdict is not CheckVerdict.Good))];
        var (begun, over) = Compare(_current, now);
        foreach (var finding in over)
        {
            logger.LogInformation("No longer so: {Sentence}", finding.Found);
            console.Say($"No longer so: {finding.Found}");
        }
        foreach (var finding in begun)
        {
            Log("{State}: {Sentence} {Fix}", finding);
        }
        if (now.Count > 0 && begun.Count == 0 && clock.GetElapsedTime(_lastLine) >= Reminder)
        {
            Log("Still {State}: {Sentence} {Fix}", now[0]);
        }
        _current = now;
    }

    /// <summary>Nobody can be asked any more: what was found may still be so.</summary>
    public void Forget() => _current = [];

#pragma warning disable CA2254 // Each caller's template is a constant.
    private void Log(string template, CheckFinding finding)
    {
        var (level, state) =
            finding.Verdict is CheckVerdict.Error ? (LogLevel.Error, "failing") : (LogLevel.Warning, "degraded");
        logger.Log(level, template, state, finding.Found, finding.Fix?.Split('\n')[0] ?? "");
        _lastLine = clock.GetTimestamp();
    }
#pragma warning restore CA2254

    // What gets worse begins anew, without an end before it.
    private static (IReadOnlyList<CheckFinding> Begun, IReadOnlyList<CheckFinding> Over) Compare(
        IReadOnlyList<CheckFinding> before,
        IReadOnlyList<CheckFinding> now
    )
    {
        List<CheckFinding> over = [.. before];
        List<CheckFinding> begun = [.. now.Where(f => !Continues(f, (a, b) => Words(a) == Words(b)))];
        return ([.. begun.Where(f => !Continues(f, (_, _) => true))], over);

        bool Continues(CheckFinding finding, Func<CheckFinding, CheckFinding, bool> isSame)
        {
            var at = over.FindIndex(f => f.What == finding.What && isSame(f, finding));
            if (at < 0)
            {
                return false;
            }
            var isWorse = finding.Verdict > over[at].Verdict;
            over.RemoveAt(at);
            return !isWorse;
        }
    }

    private static string Words(CheckFinding finding) => Digits().Replace(finding.Found, "0");

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
