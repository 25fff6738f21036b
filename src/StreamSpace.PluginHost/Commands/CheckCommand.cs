using System.CommandLine;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Checks;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>check</c>: everything that this process would use, with the fix beside each error.</summary>
internal static class CheckCommand
{
    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var json = CommandContext.Json("Print the findings as JSON.");
        var deny = new Option<bool>("--deny-warnings") { Description = "End with 2 when there are warnings alone." };
        var check = new Command(
            "check",
            "Checks the config, the key, each lane, and every source, right and row, and says what an absent source costs. Changes nothing."
        )
        {
            json,
            deny,
        };
        help.Explain(
            check,
            """
            It reads the environment, and the config in the data folder: run it as the service runs. To a site that takes the
            key it sends one canary a lane: a point of streamspace.datadog.canary, and an event "Connection test".

            Examples:
              check
              check --deny-warnings --data /var/lib/streamspace-datadog
              check --json | jq '.findings[] | select(.verdict != "good")'
              kubectl -n streamspace exec deploy/streamspace-datadog -- ./StreamSpace.PluginHost check --data /data

            Exit codes:
              0  nothing is wrong; there may be warnings
              1  something is lost, or waits, until it is mended
              2  with --deny-warnings: there are warnings
            """
        );
        check.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    async () =>
                    {
                        var run = new CheckRun(settings(parsed), around.Clock, around.Random);
                        var findings = await run.AllAsync(cancellationToken);
                        await around.Output.WriteLineAsync(
                            parsed.GetValue(json)
                                ? CommandContext.Written(Document(findings))
                                : CheckTable.Of(findings, around.Terminal)
                        );
                        return ExitCode(findings, parsed.GetValue(deny));
                    }
                )
        );
        return check;
    }

    /// <summary>0, or 1 with an error, or 2 with warnings that are denied.</summary>
    public static int ExitCode(IReadOnlyList<CheckFinding> findings, bool denyWarnings) =>
        findings.Any(f => f.Verdict is CheckVerdict.Error) ? 1
        : denyWarnings && findings.Any(f => f.Verdict is CheckVerdict.Warning) ? 2
        : 0;

    private static JsonObject Document(IReadOnlyList<CheckFinding> findings) =>
        new()
        {
            ["errors"] = findings.Count(f => f.Verdict is CheckVerdict.Error),
            ["warnings"] = findings.Count(f => f.Verdict is CheckVerdict.Warning),
            ["findings"] = new JsonArray([
                .. findings.Select(f => new JsonObject
                {
                    ["what"] = f.What,
                    ["verdict"] = f.Verdict switch
                    {
                        CheckVerdict.Good => "good",
                        CheckVerdict.Warning => "warning",
                        _ => "error",
                    },
                    ["found"] = f.Found,
                    ["fix"] = f.Fix,
                }),
            ]),
        };
}
