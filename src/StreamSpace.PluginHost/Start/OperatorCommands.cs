using System.CommandLine;
using StreamSpace.Platform;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>Commands that look or register, and end: what an operator runs before and after attaching.</summary>
internal static class OperatorCommands
{
    /// <summary><c>check</c>: one table; exit code 0 only when nothing is at fault.</summary>
    public static Command Check(
        Func<ParseResult, HostSettings> settings,
        Func<double> chance,
        TextWriter output,
        TextWriter error
    )
    {
        var check = new Command(
            "check",
            "Checks the config, the key, the site and every source, right and row, with the fix beside each fault. "
                + "Changes nothing; the exit code is 0 when nothing is at fault."
        );
        check.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    error,
                    async () =>
                        await CheckTable.WriteAsync(
                            output,
                            await new Checks(settings(parsed), TimeProvider.System, chance).AllAsync(cancellationToken)
                        )
                            ? 0
                            : 1
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

    private static async Task<int> RegisterAsync(
        HostSettings settings,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var database =
            SourcesConfigured.Database(settings.Environment)
            ?? throw new StartFault(
                "No database is named: set DB_HOST, and DB_USER and DB_PASSWORD of a role that may write."
            );
        var data = DataFolder.Make(settings.DataFolder);
        using var store = HostStore.Of(data);
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
                throw new StartFault($"{Path.GetFileName(folder)}: {e.Message}", e);
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
