using System.CommandLine;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>status</c>: how the running host stands, the verdict first.</summary>
internal static class StatusCommand
{
    /// <summary>Between two looks of <c>--watch</c>.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // As monitoring plug-ins have them: ok, warning, critical, unknown.
    private const int Unknown = 3;

    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var json = CommandContext.Json(
            "Print the status document instead: the host's, with that of each plugin in it."
        );
        var watch = new Option<bool>("--watch") { Description = "Look again every two seconds, until Ctrl-C." };
        var status = new Command("status", "Says how the running host stands: the verdict first, and what to do.")
        {
            json,
            watch,
        };
        help.Explain(
            status,
            """
            Examples:
              status
              status --watch
              status --json | jq .plugins[0].lanes
              kubectl -n streamspace exec deploy/streamspace-datadog -- ./StreamSpace.PluginHost status --data /data

            Exit codes, as monitoring systems know them:
              0  ok: everything is sent
              1  degraded: it works, and there is something to know
              2  failing: something waits or is lost until it is mended
              3  unknown: no host runs on the data folder, or it does not answer
            """
        );
        status.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    async () =>
                    {
                        var (isJson, folder) = (parsed.GetValue(json), settings(parsed).DataFolder);
                        if (!parsed.GetValue(watch))
                        {
                            var document = await ReadAsync(folder, around.Clock, cancellationToken);
                            await around.Output.WriteLineAsync(Show(document, isJson, around));
                            return ExitCode(document);
                        }
                        await WatchAsync(
                            () => ReadAsync(folder, around.Clock, cancellationToken),
                            document => Show(document, isJson, around),
                            around,
                            cancellationToken
                        );
                        return 0;
                    },
                    Unknown
                )
        );
        return status;
    }

    /// <summary>Shows again and again what <paramref name="read"/> gives, or why it gives nothing.</summary>
    public static async Task WatchAsync(
        Func<Task<JsonObject>> read,
        Func<JsonObject, string> show,
        CommandContext around,
        CancellationToken cancellationToken
    )
    {
        using var looks = new PeriodicTimer(Pause, around.Clock);
        do
        {
            string shown;
            try
            {
                shown = show(await read());
            }
            catch (StartupException e)
            {
                shown = e.Message;
            }
            await around.Output.WriteLineAsync($"{around.Terminal.Clear}{shown}");
        } while (await looks.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>The host's document, with the whole document of each plugin in place of its summary.</summary>
    public static async Task<JsonObject> ReadAsync(
        string dataFolder,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        using var host = HostClient.Of(dataFolder, clock);
        var document = await host.GetAsync("api/status", cancellationToken);
        var plugins = document["plugins"]!.AsArray();
        for (var i = 0; i < plugins.Count; i++)
        {
            if ((string?)plugins[i]?["route"] is { } route)
            {
                plugins[i] = await host.GetAsync($"api/plugins/{route}/status", cancellationToken);
            }
        }
        return document;
    }

    private static string Show(JsonObject document, bool isJson, CommandContext around) =>
        isJson ? CommandContext.Written(document) : StatusText.Of(document, around.Clock.GetUtcNow(), around.Terminal);

    private static int ExitCode(JsonObject document) =>
        (string?)document["verdict"]?["state"] switch
        {
            "ok" => 0,
            "degraded" => 1,
            "failing" => 2,
            _ => Unknown,
        };
}
