using System.CommandLine;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>provision</c>: what a plugin brings to its far end beside the data, such as dashboards and monitors.</summary>
internal static class ProvisionCommand
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be done, field by field." };
        var delete = new Option<bool>("--delete") { Description = "Take everything away again." };
        var export = new Option<string>("--export")
        {
            Description = "Write it as files into a folder instead. Needs neither a running host nor a key.",
            HelpName = "folder",
        };
        var plugin = new Option<string>("--plugin")
        {
            Description = "The plugin, by its route.",
            HelpName = "route",
            DefaultValueFactory = _ => "datadog",
        };
        var json = CommandContext.Json("Print what was done as JSON.");
        var provision = new Command(
            "provision",
            "Brings dashboards, monitors, SLOs, metric metadata and the service to Datadog, with the application key of the "
                + "running host: makes what is missing, changes what is otherwise, never makes anything twice."
        )
        {
            dryRun,
            delete,
            export,
            plugin,
            json,
        };
        help.Explain(
            provision,
            """
            What is about a metric that Datadog has not heard of yet waits: the host tries it again by itself.

            Examples:
              provision --dry-run
              provision
              provision --delete --dry-run
              provision --export datadog-assets
              provision --json | jq '.assets[] | select(.change == "fail")'

            Exit codes:
              0  all is as it should be, or would be
              1  something could not be done; or no host runs on the data folder, or it lacks a key
            """
        );
        provision.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    async () =>
                    {
                        var route = parsed.GetValue(plugin)!;
                        if (parsed.GetValue(export) is { } folder)
                        {
                            return await OperatorCommands.PluginAsync(
                                settings(parsed),
                                around,
                                route,
                                ["export", folder],
                                cancellationToken
                            );
                        }
                        using var host = HostClient.Of(settings(parsed).DataFolder, around.Clock);
                        var request = new JsonObject
                        {
                            ["dryRun"] = parsed.GetValue(dryRun),
                            ["delete"] = parsed.GetValue(delete),
                        };
                        var run = await RunAsync(host, route, request, around.Clock, cancellationToken);
                        await around.Output.WriteLineAsync(
                            parsed.GetValue(json) ? CommandContext.Written(run) : ProvisionText.Of(run, around.Terminal)
                        );
                        return ProvisionText.IsWell(run) ? 0 : 1;
                    }
                )
        );
        return provision;
    }

    private static async Task<JsonObject> RunAsync(
        HostClient host,
        string route,
        JsonObject request,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var path = $"api/plugins/{route}/provision";
        var run = await host.PostAsync(path, cancellationToken, request);
        while ((string?)run["state"] == "running")
        {
            await Task.Delay(AskAgainAfter, clock, cancellationToken);
            run = await host.GetAsync(path, cancellationToken);
        }
        return run;
    }
}
