using System.CommandLine;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.PluginHost.Checks;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Commands;

/// <summary>Commands that register the plugins, or are the plugins' own.</summary>
internal static class OperatorCommands
{
    /// <summary><c>register</c>: the rows by which StreamSpace's own page lists and configures the plugins.</summary>
    public static Command Register(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var register = new Command(
            "register",
            "Lists the plugins on StreamSpace's own page Admin → Plugins, where they can then be configured and "
                + "switched. Writes two rows into its database, or prints the grant that it needs. Never writes a key."
        );
        help.Explain(
            register,
            """
            Examples:
              DB_HOST=… DB_USER=streamspace DB_PASSWORD=… register

            Exit codes:
              0  every plugin is listed there
              1  one is not; what is printed says why, or is the grant that is missing
            """
        );
        register.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    () => RegisterAsync(settings(parsed), around.Output, cancellationToken)
                )
        );
        return register;
    }

    /// <summary><c>plugin</c>: the commands that plugins bring.</summary>
    public static Command Plugin(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var name = new Argument<string>("plugin") { Description = "The plugin's name, or its route." };
        var words = new Argument<string[]>("command")
        {
            Description = "The command and its arguments; without one the plugin's commands are listed.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var plugin = new Command("plugin", "Runs a command that a plugin brings.") { name, words };
        help.Explain(
            plugin,
            """
            Examples:
              plugin datadog

            Exit codes:
              0 or what the command gives; 1 when there is no such plugin or command
            """
        );
        plugin.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    () =>
                        PluginAsync(
                            settings(parsed),
                            around,
                            parsed.GetValue(name)!,
                            parsed.GetValue(words) ?? [],
                            cancellationToken
                        )
                )
        );
        return plugin;
    }

    /// <summary>Runs a command of a plugin, and gives its exit code.</summary>
    /// <exception cref="StartupException">There is no such plugin or command.</exception>
    public static Task<int> PluginAsync(
        HostSettings settings,
        CommandContext around,
        string name,
        string[] words,
        CancellationToken cancellationToken
    )
    {
        var folder =
            PluginSet
                .Folders(settings.PluginsFolder)
                .FirstOrDefault(f => Path.GetFileName(f) is var of && (of == name || of == $"streamspace-{name}"))
            ?? throw new StartupException($"There is no plugin {name} in {settings.PluginsFolder}.");
        return StandalonePlugin.AskAsync(
            folder,
            settings,
            around.Clock,
            around.Random,
            async (plugin, manifest) =>
            {
                if (words is [var word, .. var arguments])
                {
                    var command =
                        plugin.Commands.FirstOrDefault(c => c.Name == word)
                        ?? throw new StartupException(
                            $"{manifest.Name} has no command {word}; it has {(plugin.Commands.Count == 0 ? "none" : string.Join(", ", plugin.Commands.Select(c => c.Name)))}."
                        );
                    return await command.RunAsync(arguments, around.Output, cancellationToken);
                }
                if (plugin.Commands.Count == 0)
                {
                    await around.Output.WriteLineAsync($"{manifest.Name} has no commands.");
                }
                foreach (var command in plugin.Commands)
                {
                    await around.Output.WriteLineAsync($"{command.Name}  {command.Description}");
                }
                return 0;
            },
            cancellationToken
        );
    }

    private static async Task<int> RegisterAsync(
        HostSettings settings,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var errors = new List<string>();
        var database =
            PostgresOptions.Read(settings.Environment.GetValueOrDefault, errors)
            ?? throw new StartupException(
                errors.Count > 0
                    ? string.Join(' ', errors)
                    : "No database is named: set DB_HOST, and DB_USER and DB_PASSWORD of a role that may write."
            );
        using var store = HostStore.OfCommand(settings.DataFolder, TimeProvider.System);
        var done = true;
        foreach (var folder in PluginSet.Folders(settings.PluginsFolder))
        {
            PluginManifest manifest;
            try
            {
                manifest = PluginFolder.ReadManifest(folder);
            }
            catch (FormatException e)
            {
                throw new StartupException($"{Path.GetFileName(folder)}: {e.Message}", e);
            }
            var registered = await new PluginRegistration(database).RegisterAsync(
                manifest,
                store.Read(manifest.Name).Config ?? manifest.DefaultConfig,
                cancellationToken
            );
            await output.WriteLineAsync(registered.Detail);
            if (registered.Sql is { } sql)
            {
                await output.WriteLineAsync(sql);
            }
            done &= registered.Done;
        }
        return done ? 0 : 1;
    }
}
