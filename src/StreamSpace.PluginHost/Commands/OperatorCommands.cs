using System.CommandLine;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.PluginHost.Checks;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Commands;

/// <summary>Commands that look or register, and end: what an operator runs before and after attaching.</summary>
internal static class OperatorCommands
{
    /// <summary><c>check</c>: one table; exit code 0 only when nothing is at fault.</summary>
    public static Command Check(
        Func<ParseResult, HostSettings> settings,
        Func<double> random,
        TextWriter output,
        TextWriter error
    )
    {
        var check = new Command(
            "check",
            "Checks the config, the key, the site and every source, right and row, with the fix beside each fault. "
                + "Changes nothing; the exit code is 0 when all is well, 1 with a fault, 2 with warnings alone."
        );
        check.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    error,
                    async () =>
                        await CheckTable.WriteAsync(
                            output,
                            await new CheckRun(settings(parsed), TimeProvider.System, random).AllAsync(
                                cancellationToken
                            )
                        )
                )
        );
        return check;
    }

    /// <summary><c>register</c>: the rows by which StreamSpace's own page lists and configures the plugins.</summary>
    public static Command Register(Func<ParseResult, HostSettings> settings, TextWriter output, TextWriter error)
    {
        var register = new Command(
            "register",
            "Lists the plugins on StreamSpace's own page Admin → Plugins, where they can then be configured and "
                + "switched. Writes two rows into its database, or prints the grant that it needs. Never writes a key."
        );
        register.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    error,
                    () => RegisterAsync(settings(parsed), output, cancellationToken)
                )
        );
        return register;
    }

    /// <summary><c>plugin</c>: the commands that plugins bring.</summary>
    public static Command Plugin(
        Func<ParseResult, HostSettings> settings,
        Func<double> random,
        TextWriter output,
        TextWriter error
    )
    {
        var name = new Argument<string>("plugin") { Description = "The plugin's name, or its route." };
        var words = new Argument<string[]>("command")
        {
            Description = "The command and its arguments; without one the plugin's commands are listed.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var plugin = new Command("plugin", "Runs a command that a plugin brings.") { name, words };
        plugin.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    error,
                    () =>
                        PluginAsync(
                            settings(parsed),
                            random,
                            parsed.GetValue(name)!,
                            parsed.GetValue(words) ?? [],
                            output,
                            cancellationToken
                        )
                )
        );
        return plugin;
    }

    private static Task<int> PluginAsync(
        HostSettings settings,
        Func<double> random,
        string name,
        string[] words,
        TextWriter output,
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
            TimeProvider.System,
            random,
            async (plugin, manifest) =>
            {
                if (words is [var word, .. var arguments])
                {
                    var command =
                        plugin.Commands.FirstOrDefault(c => c.Name == word)
                        ?? throw new StartupException(
                            $"{manifest.Name} has no command {word}; it has {(plugin.Commands.Count == 0 ? "none" : string.Join(", ", plugin.Commands.Select(c => c.Name)))}."
                        );
                    return await command.RunAsync(arguments, output, cancellationToken);
                }
                if (plugin.Commands.Count == 0)
                {
                    await output.WriteLineAsync($"{manifest.Name} has no commands.");
                }
                foreach (var command in plugin.Commands)
                {
                    await output.WriteLineAsync($"{command.Name}  {command.Description}");
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
        var faults = new List<string>();
        var database =
            PostgresOptions.Read(settings.Environment.GetValueOrDefault, faults)
            ?? throw new StartupException(
                faults.Count > 0
                    ? string.Join(' ', faults)
                    : "No database is named: set DB_HOST, and DB_USER and DB_PASSWORD of a role that may write."
            );
        var data = DataFolder.Make(settings.DataFolder);
        using var store = HostStore.Of(data, TimeProvider.System);
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
