using System.CommandLine;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary>The commands and options. Every command ends with 0, or with 1 and one sentence.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var result = Build(output, error).Parse(args);
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

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var standard = new HostSettings();
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

        var root = new RootCommand("Runs StreamSpace plugins beside a running StreamSpace.")
        {
            urls,
            sandboxUrls,
            pathBase,
            publicUrl,
            data,
            plugins,
            TokenCommand(data, output, error),
            OperatorCommands.Check(SettingsOf, Random, output, error),
            OperatorCommands.Register(SettingsOf, output, error),
            OperatorCommands.Plugin(SettingsOf, Random, output, error),
        };
        root.SetAction(async parsed =>
        {
            var settings = SettingsOf(parsed) with
            {
                Urls = parsed.GetValue(urls)!,
                SandboxUrls = parsed.GetValue(sandboxUrls)!,
                PathBase = parsed.GetValue(pathBase)!,
                PublicUrl = parsed.GetValue(publicUrl),
            };
            return await EndsWithASentenceAsync(error, () => ServeAsync(settings, output));
        });
        return root;
    }

    private static Command TokenCommand(Option<string> data, TextWriter output, TextWriter error)
    {
        var role = new Option<string>("--role")
        {
            Description = "What the token may do: a user reads, an operator or admin also changes.",
            DefaultValueFactory = _ => Roles.Admin,
        };
        role.AcceptOnlyFromAmong(Roles.All);
        var days = new Option<int>("--days")
        {
            Description = "How many days it is good for, 1 to 365.",
            DefaultValueFactory = _ => 1,
        };
        days.Validators.Add(option =>
        {
            if (option.GetValueOrDefault<int>() is < 1 or > 365)
            {
                option.AddError("--days must be from 1 to 365.");
            }
        });
        var token = new Command("token", "Prints one token for the API, and nothing else.") { role, days };
        token.SetAction(parsed =>
            EndsWithASentenceAsync(
                error,
                async () =>
                {
                    var settings = new HostSettings { DataFolder = parsed.GetValue(data)! };
                    var folder = DataFolder.Make(settings.DataFolder);
                    var tokens = AccessTokens.Of(settings.Environment, folder, TimeProvider.System);
                    await output.WriteLineAsync(
                        tokens.Issue(parsed.GetValue(role)!, TimeSpan.FromDays(parsed.GetValue(days)))
                    );
                }
            )
        );
        return token;
    }

    private static async Task ServeAsync(HostSettings settings, TextWriter output)
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

        var console = new StartupConsole(output, TimeProvider.System);
        await using var host = new RunningHost(settings, TimeProvider.System, Random, console);
        try
        {
            await host.StartAsync(stop.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop: what was started is let go of below.
        }
    }

    private static double Random() => RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue;

    private static Task<int> EndsWithASentenceAsync(TextWriter error, Func<Task> work) =>
        EndsWithASentenceAsync(
            error,
            async () =>
            {
                await work();
                return 0;
            }
        );

    /// <summary>The exit code of <paramref name="work"/>, or 1 and the sentence of a fault.</summary>
    public static async Task<int> EndsWithASentenceAsync(TextWriter error, Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (StartupException fault)
        {
            await error.WriteLineAsync(fault.Message);
            return 1;
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
