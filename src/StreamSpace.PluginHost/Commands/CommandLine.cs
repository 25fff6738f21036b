using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Commands;

/// <summary>The commands and options. A command that fails ends with one sentence on standard error.</summary>
internal static class CommandLine
{
    // sysexits.h
    private const int Usage = 64;

    /// <param name="args">What follows the program's name.</param>
    /// <param name="output">What was asked for.</param>
    /// <param name="error">Why it cannot be had.</param>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var standard = new HostSettings();
        var around = new CommandContext(
            output,
            error,
            Terminal.OfProcess(standard.Environment),
            TimeProvider.System,
            Random
        );
        var result = Build(standard, around).Parse(args);
        if (result.Action is ParseErrorAction)
        {
            await error.WriteLineAsync(WhatIsWrong(result));
            return Usage;
        }
        return await result.InvokeAsync(
            new InvocationConfiguration
            {
                Output = output,
                Error = error,
                // We end on our own: in order, within deadlines, with exit code 0.
                ProcessTerminationTimeout = null,
            }
        );
    }

    // One line: what reads standard output may take all of it for an answer, as TOKEN=$(… token --days 0) does.
    private static string WhatIsWrong(ParseResult result)
    {
        var command = result.CommandResult.Command;
        var known = command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name));
        var meant = result.UnmatchedTokens.Select(t => NearestName.Of(t, known)).FirstOrDefault(n => n is not null);
        string[] words =
        [
            .. result.Errors.Select(e => e.Message),
            .. meant is null ? (string[])[] : [$"Did you mean {meant}?"],
            $"See {(command is RootCommand ? "" : $"{command.Name} ")}--help.",
        ];
        return OneLine.Of(string.Join(' ', words));
    }

    private static RootCommand Build(HostSettings standard, CommandContext around)
    {
        var data = new Option<string>("--data")
        {
            Description = "Folder that keeps everything this service must not forget. Made when missing.",
            HelpName = "folder",
            DefaultValueFactory = _ => standard.DataFolder,
            Recursive = true,
        };
        var urls = Addresses("--urls", "Where to serve. Several are parted by a semicolon.", standard.Urls);
        var sandboxUrls = Addresses(
            "--sandbox-urls",
            "Where the sandbox, a local Datadog to look at, serves. Empty for none.",
            standard.SandboxUrls,
            mayBeNone: true
        );
        var pathBase = new Option<string>("--path-base")
        {
            Description = "Path in front of every path of ours, when a proxy passes it on, such as /datadog.",
            HelpName = "path",
            DefaultValueFactory = _ => "",
        };
        pathBase.Validators.Add(option =>
        {
            var path = option.GetValueOrDefault<string>();
            if (path.Length > 0 && (!path.StartsWith('/') || path.EndsWith('/')))
            {
                option.AddError("--path-base must begin with a slash and not end with one, as in /datadog.");
            }
        });
        var publicUrl = new Option<Uri?>("--public-url")
        {
            Description =
                "Address under which browsers reach this, when a proxy stands before it, such as https://datadog.example.com: "
                + "for sign-in links, and for cookies that go over https alone.",
            HelpName = "url",
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = argument =>
            {
                if (PublicAddress(argument.Tokens[0].Value) is { } address)
                {
                    return address;
                }
                argument.AddError("--public-url must be an address such as https://datadog.example.com/plugins.");
                return null;
            },
        };
        var plugins = new Option<string>("--plugins")
        {
            Description =
                "Folder with one folder per plugin. The default is the folder \"plugins\" beside this program.",
            HelpName = "folder",
            Recursive = true,
        };
        HostSettings SettingsOf(ParseResult parsed) =>
            standard with
            {
                DataFolder = parsed.GetValue(data)!,
                PluginsFolder = parsed.GetValue(plugins) ?? standard.PluginsFolder,
            };

        var help = new CommandHelp();
        var root = new RootCommand("Runs StreamSpace plugins beside a running StreamSpace.")
        {
            urls,
            sandboxUrls,
            pathBase,
            publicUrl,
            data,
            plugins,
            StatusCommand.Make(SettingsOf, around, help),
            SignInCommand.Make(SettingsOf, around, help),
            TokenCommand.Make(SettingsOf, around, help),
            ConfigCommand.Make(SettingsOf, around, help),
            CheckCommand.Make(SettingsOf, around, help),
            FlareCommand.Make(SettingsOf, around, help),
            ProvisionCommand.Make(SettingsOf, around, help),
            OperatorCommands.Register(SettingsOf, around, help),
            OperatorCommands.Plugin(SettingsOf, around, help),
            CompletionsCommand.Make(around, help),
        };
        root.Options.OfType<HelpOption>().Single().Action = help;
        help.Explain(
            root,
            """
            Examples:
              StreamSpace.PluginHost --data /var/lib/streamspace-datadog
              StreamSpace.PluginHost status --data /var/lib/streamspace-datadog
              StreamSpace.PluginHost status --help

            Exit codes:
              0   it was asked to end, and ended in order
              1   it cannot start; one line on standard error says what to do
              64  the command line makes no sense
            """
        );
        root.SetAction(async parsed =>
        {
            var settings = SettingsOf(parsed) with
            {
                Urls = parsed.GetValue(urls)!,
                SandboxUrls = parsed.GetValue(sandboxUrls)!,
                PathBase = parsed.GetValue(pathBase)!,
                PublicUrl = parsed.GetValue(publicUrl),
            };
            return await EndsWithASentenceAsync(
                around.Error,
                async () =>
                {
                    await ServeAsync(settings, around);
                    return 0;
                }
            );
        });
        return root;
    }

    private static async Task ServeAsync(HostSettings settings, CommandContext around)
    {
        using var stop = new CancellationTokenSource();
        // The first signal asks for an orderly end; a second one is left to the runtime, which ends us at once.
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

        var console = new StartupConsole(around.Output, around.Clock);
        await using var host = new RunningHost(settings, around.Clock, around.Random, console);
        try
        {
            await host.StartAsync(stop.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, around.Clock, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop: what was started ends below.
        }
    }

    private static double Random() => RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue;

    /// <summary>The exit code of <paramref name="work"/>, or that of an error, and its sentence.</summary>
    public static async Task<int> EndsWithASentenceAsync(TextWriter error, Func<Task<int>> work, int exitCode = 1)
    {
        try
        {
            return await work();
        }
        catch (StartupException e)
        {
            await error.WriteLineAsync(OneLine.Of(e.Message));
            return exitCode;
        }
    }

    private static Option<IReadOnlyList<string>> Addresses(
        string name,
        string description,
        IReadOnlyList<string> standard,
        bool mayBeNone = false
    ) =>
        new(name)
        {
            Description = description,
            HelpName = "urls",
            Arity = ArgumentArity.ExactlyOne,
            DefaultValueFactory = _ => standard,
            CustomParser = argument =>
            {
                var urls = argument
                    .Tokens[0]
                    .Value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                if (urls.Length == 0 && !mayBeNone)
                {
                    argument.AddError($"{name} needs an address such as {standard[0]}.");
                }
                foreach (var url in urls.Where(u => !IsAddress(u)))
                {
                    argument.AddError($"{name}: \"{url}\" is not an address such as {standard[0]}.");
                }
                return urls;
            },
        };

    // Ends with a slash, so that what follows comes under its path.
    private static Uri? PublicAddress(string url) =>
        Uri.TryCreate($"{url.TrimEnd('/')}/", UriKind.Absolute, out var address)
        && address is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" }
            ? address
            : null;

    private static bool IsAddress(string url) =>
        Uri.TryCreate(
            url.Replace("://+", "://any", StringComparison.Ordinal).Replace("://*", "://any", StringComparison.Ordinal),
            UriKind.Absolute,
            out var address
        )
        && address.Scheme is "http"
        && address.AbsolutePath is "/";
}
