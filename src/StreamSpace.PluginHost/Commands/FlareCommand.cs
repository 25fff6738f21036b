using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using NamedFiles;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Web;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>flare</c>: what a bug report needs, in one archive, without any secret.</summary>
internal static class FlareCommand
{
    // The end of each log, in bytes.
    private const int LogTail = 1_000_000;

    // The newest of each folder.
    private const int MostLogs = 5;

    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext context, CommandHelp help)
    {
        var output = new Option<string?>("--output")
        {
            Description = "The archive to write. The default is flare-<time>.zip where you are.",
            HelpName = "file",
        };
        var flare = new Command(
            "flare",
            "Writes one archive for a bug report: status, config, logs, versions; no secret."
        )
        {
            output,
        };
        help.Explain(
            flare,
            """
            In it: about.txt (versions, machine, names of the variables that are set), status.json (verdict, lanes, ledger),
            config.json (each setting with its origin), logs (the end of each). Keys, passwords and tokens are taken out,
            names of hosts and users are not: look at it before you hand it on. Works without a running host, too.

            Examples:
              flare
              flare --output /tmp/flare.zip --data /var/lib/streamspace-datadog

            Exit codes:
              0  its path is on standard output, alone
              1  it cannot be written
            """
        );
        flare.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    context.Error,
                    async () =>
                    {
                        var path = Path.GetFullPath(
                            parsed.GetValue(output)
                                ?? string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"flare-{context.Clock.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}.zip"
                                )
                        );
                        var texts = await CollectAsync(settings(parsed), context.Clock, cancellationToken);
                        Write(path, texts);
                        await context.Output.WriteLineAsync(path);
                        return 0;
                    }
                )
        );
        return flare;
    }

    // By the name in the archive.
    private static async Task<IReadOnlyDictionary<string, string>> CollectAsync(
        HostSettings settings,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var scrubber = new Scrubber([.. Scrubber.Of(settings.Environment), .. SecretsOfConfigs(settings, clock)]);
        var texts = new Dictionary<string, string>
        {
            ["about.txt"] = About(settings, clock),
            ["status.json"] = await AskAsync(async () =>
                CommandContext.Written(await StatusCommand.ReadAsync(settings.DataFolder, clock, cancellationToken))
            ),
            ["config.json"] = await AskAsync(async () =>
            {
                using var host = HostClient.Of(settings.DataFolder, clock);
                return CommandContext.Written(await ConfigCommand.ReadAsync(host, cancellationToken));
            }),
        };
        var folders = new[] { settings.LogFolder, Path.Combine(settings.DataFolder, "logs") };
        foreach (var (folder, at) in folders.Select((folder, at) => (folder, at)))
        {
            foreach (var log in Logs(folder))
            {
                texts[string.Create(CultureInfo.InvariantCulture, $"logs/{at + 1}/{Path.GetFileName(log)}")] = Tail(
                    log
                );
            }
        }
        return texts.ToDictionary(text => text.Key, text => scrubber.Scrub(text.Value));
    }

    private static async Task<string> AskAsync(Func<Task<string>> question)
    {
        try
        {
            return await question();
        }
        catch (StartupException e)
        {
            return e.Message;
        }
    }

    private static string About(HostSettings settings, TimeProvider clock)
    {
        var plugins = Directory.Exists(settings.PluginsFolder)
            ? PluginSet.Folders(settings.PluginsFolder).Select(folder => $"Plugin: {Version(folder)}")
            : [];
        return string.Join(
            Environment.NewLine,
            [
                $"StreamSpace plugin host {HostStatus.Version}",
                .. plugins,
                string.Create(CultureInfo.InvariantCulture, $"At: {clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}"),
                $"Machine: {Environment.MachineName}, {Environment.ProcessorCount} processors",
                $"System: {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
                $"Runtime: {RuntimeInformation.FrameworkDescription}",
                $"Data folder: {Path.GetFullPath(settings.DataFolder)}",
                $"Plugins folder: {settings.PluginsFolder}",
                $"Logs: {settings.LogFolder}",
                "Variables that are set, without their values:",
                .. settings.Environment.Keys.Order(StringComparer.Ordinal).Select(name => $"  {name}"),
            ]
        );
    }

    private static string Version(string folder)
    {
        try
        {
            var manifest = PluginFolder.ReadManifest(folder);
            return $"{manifest.Name} {manifest.Version}";
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            return $"{Path.GetFileName(folder)}: {e.Message}";
        }
    }

    // What an operator set by the API, and StreamSpace's row: in the store, and nowhere in clear text.
    private static List<string> SecretsOfConfigs(HostSettings settings, TimeProvider clock)
    {
        var secrets = new List<string>();
        try
        {
            using var store = HostStore.OfCommand(settings.DataFolder, clock);
            foreach (var folder in PluginSet.Folders(settings.PluginsFolder))
            {
                var manifest = PluginFolder.ReadManifest(folder);
                secrets.AddRange(
                    (store.Read(manifest.Name).Config ?? [])
                        .Where(setting => manifest.ConfigSchema.IsSecret(setting.Key))
                        .Select(setting => $"{setting.Value}")
                );
            }
        }
        catch (Exception e)
            when (e is StartupException or FormatException or IOException or UnauthorizedAccessException)
        {
            // Then they cannot be known, and none of them is in what is collected but by what it looks like.
        }
        return secrets;
    }

    private static IEnumerable<string> Logs(string folder) =>
        Directory.Exists(folder)
            ? new DirectoryInfo(folder)
                .EnumerateFiles("*.log")
                .OrderByDescending(file => file.LastWriteTimeUtc)
                .Take(MostLogs)
                .Select(file => file.FullName)
            : [];

    private static string Tail(string path)
    {
        try
        {
            using var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete
            );
            var isCut = file.Length > LogTail;
            file.Seek(-Math.Min(file.Length, LogTail), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.UTF8);
            if (isCut)
            {
                // A line by halves could hold half a secret.
                reader.ReadLine();
            }
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static void Write(string path, IReadOnlyDictionary<string, string> texts)
    {
        try
        {
            using var file = PrivateFiles.Open(path, FileMode.CreateNew);
            using var archive = new ZipArchive(file, ZipArchiveMode.Create);
            foreach (var (name, text) in texts)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{path} cannot be written ({e.Message}): name another file with --output.", e);
        }
    }
}
