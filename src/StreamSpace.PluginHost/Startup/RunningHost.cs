using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox;
using Microsoft.Extensions.Logging.Console;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.PluginHost.Web;

namespace StreamSpace.PluginHost.Startup;

/// <summary>
/// The whole service from start to end. What may be refused by the machine (folder, ports) comes first, so that
/// nothing is sent anywhere by a process that cannot stay.
/// </summary>
internal sealed class RunningHost(
    HostSettings settings,
    TimeProvider clock,
    Func<double> random,
    StartupConsole console
) : IAsyncDisposable
{
    private static readonly TimeSpan UnloadTimeout = TimeSpan.FromSeconds(10);

    private readonly PluginSet _plugins = new();

    // In the order of starting; let go of in the opposite one.
    private readonly Stack<Func<Task>> _started = [];

    /// <summary>Adds where what the host logs goes: the console, or a test's own place.</summary>
    public Action<ILoggingBuilder> Log { get; init; } = Console;

    /// <summary>Adds where what plugins log goes, besides their files: the console, in brief, or a test's own place.</summary>
    public Action<ILoggingBuilder> PluginLog { get; init; } = logging => BriefConsole.Add(logging);

    /// <summary>Where the API serves.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The link that signs a browser in, once.</summary>
    public Uri SignInLink { get; private set; } = null!;

    /// <exception cref="StartupException">The machine refuses something; the message says what to do.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        console.Say($"StreamSpace plugin host {HostStatus.Version}");
        var data = await DataFolder.TakeAsync(settings.DataFolder, console, clock, cancellationToken);
        Undo(data.Dispose);
        console.Say($"Data folder: {data.Path}");
        var tokens = AccessTokens.Of(settings.Environment, data.Path, clock);
        var keys = new KeyRing(data.Folder("keys"));
        var store = HostStore.OfService(Path.Combine(data.Path, "host.db"), keys, clock);
        Undo(store.Dispose);

        var loggers = LoggerFactory.Create(Log);
        Undo(loggers.Dispose);
        var logger = loggers.CreateLogger("StreamSpace.PluginHost");
        if (store.SetAside is { } setAside)
        {
            logger.LogError("{SetAside}", setAside);
        }
        foreach (var warning in settings.EnvironmentWarnings)
        {
            logger.LogWarning("{Warning} {Fix}", warning.Found, warning.Fix);
        }
        if (Connections.Warning is { } few)
        {
            logger.LogWarning("{Few}", few);
        }
        var feeds = new FeedSupervisor(
            SourceFactory.From(settings.Environment, () => _plugins.LookEvery, clock, random, logger),
            store.File,
            _plugins,
            clock,
            random,
            console,
            logger
        );
        var watch = new DataWatch(data, store.File, _plugins, clock, logger);
        var status = new HostStatus(data.Path, _plugins, feeds, watch, store.File, clock)
        {
            Sandbox = await StartSandboxAsync(tokens, loggers, cancellationToken),
            StoreSetAside = store.SetAside,
        };
        store.File.Barred = data.Taken;
        var codes = new SignInCodes(clock);
        Undo(() => watch.DisposeAsync().AsTask());
        watch.Start();
        Undo(UnloadAsync);
        Undo(() => feeds.DisposeAsync().AsTask());
        HostServices? host = null;
        var catalog = new PluginCatalog(settings.Environment.GetValueOrDefault("CATALOG_URL"), clock);
        Undo(catalog.Dispose);
        var plugins = new InstalledPlugins(_plugins, feeds);
        Undo(plugins.Dispose);
        var web = await WebServer.StartAsync(
            settings,
            status,
            plugins,
            catalog,
            () => host ?? throw new BadHttpRequestException("Still starting.", StatusCodes.Status503ServiceUnavailable),
            feeds.Posted,
            clock,
            tokens,
            codes,
            keys,
            Log,
            cancellationToken
        );
        plugins.Serve = () => web.Serve(_plugins);
        Undo(() => web.DisposeAsync().AsTask());

        host = new HostServices
        {
            Settings = settings,
            Data = data,
            Store = store,
            Clock = clock,
            Random = random,
            Sandbox = status.Sandbox,
            Sources = () => feeds.Sources,
            Settle = feeds.SettleAsync,
            Console = PluginLog,
        };
        FindPlugins(host);
        foreach (var plugin in _plugins.All)
        {
            await console.StepAsync($"loading {plugin.Name}", () => plugin.LoadAsync(cancellationToken));
            Tell(plugin);
        }
        if (_plugins.All.Count == 0)
        {
            console.Say($"No plugins: there is none in {settings.PluginsFolder}.");
        }
        if (SourceFactory.Database(settings.Environment) is { } database)
        {
            var rows = new PluginRows(database, _plugins, feeds.SettleAsync, clock, logger);
            Undo(() => rows.DisposeAsync().AsTask());
            plugins.Serve = () =>
            {
                web.Serve(_plugins);
                rows.Follow();
            };
            await console.StepAsync(
                "reading the plugins' rows in StreamSpace's database",
                () => rows.StartAsync(cancellationToken)
            );
        }
        web.Serve(_plugins);
        var retry = new PluginRetry(plugins, clock, logger);
        Undo(() => retry.DisposeAsync().AsTask());
        await console.StepAsync("attaching to the platform", () => feeds.SettleAsync(cancellationToken));
        status.Started = true;

        Address = new Uri(web.Addresses[0], $"{settings.PathBase}/");
        SignInLink = new Uri(settings.PublicUrl ?? Address, $"sign-in?code={codes.Issue()}");
        console.Say(status.Sandbox is { } sandbox ? $"Sandbox, a local Datadog: {sandbox}" : "Sandbox: none.");
        console.Say(
            $"Serving on {string.Join(" and ", web.Addresses.Select(a => new Uri(a, $"{settings.PathBase}/")))}"
        );
        console.Say($"Sign in, once, within {SignInCodes.Lifetime.TotalMinutes:0} minutes: {SignInLink}");
    }

    public async ValueTask DisposeAsync()
    {
        if (SignInLink is not null)
        {
            console.Say("Stopping.");
        }
        while (_started.TryPop(out var undo))
        {
            await undo();
        }
    }

    private void FindPlugins(HostServices host)
    {
        var folder = settings.PluginsFolder;
        try
        {
            InstalledPlugins.Recover(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is there runs all the same.
            console.Say($"What a crash has left in {folder} stays, for it cannot be put right: {e.Message}");
        }
        try
        {
            _plugins.Find(host);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The plugins folder {folder} cannot be read: let this user read it, or name another with --plugins.",
                e
            );
        }
    }

    private void Tell(HostedPlugin plugin)
    {
        var version = plugin.Manifest is { } manifest ? $" {manifest.Version}" : "";
        var where =
            plugin.Status["site"] is JsonValue site && site.TryGetValue(out string? name) ? $", site {name}" : "";
        var state = plugin.State is PluginState.Running ? $"running{where}" : "";
        console.Say(
            $"Plugin {plugin.Name}{version}: {state}{(state.Length > 0 && plugin.Detail.Length > 0 ? "; " : "")}{plugin.Detail}"
        );
        foreach (var fault in plugin.Faults)
        {
            console.Say($"  {fault}");
        }
        if (plugin.LogFile is { } log)
        {
            console.Say($"  Log: {log}");
        }
    }

    private async Task<Uri?> StartSandboxAsync(
        AccessTokens tokens,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        if (settings.SandboxUrls.Count == 0)
        {
            return null;
        }
        var open = settings.SandboxUrls.All(ListenAddress.IsLoopback);
        var options = new SandboxOptions
        {
            Urls = settings.SandboxUrls,
            PublicUrl = settings.PublicUrl,
            Gate = open ? null : http => AccessRules.AccessOf(http.Request, tokens),
            Listener = Connections.ToSandbox,
        };
        try
        {
            var sandbox = await SandboxServer.StartAsync(options, clock, loggers, cancellationToken);
            Undo(() => sandbox.DisposeAsync().AsTask());
            return ListenAddress.From(sandbox.Addresses[0]);
        }
        catch (Exception e) when (ListenAddress.IsRefusal(e))
        {
            throw ListenAddress.CannotListen(settings.SandboxUrls, "--sandbox-urls", e);
        }
    }

    private async Task UnloadAsync()
    {
        using var deadline = new CancellationTokenSource(UnloadTimeout, clock);
        await _plugins.UnloadAsync(deadline.Token);
        _plugins.Dispose();
    }

    private void Undo(Action action) =>
        Undo(() =>
        {
            action();
            return Task.CompletedTask;
        });

    private void Undo(Func<Task> action) => _started.Push(action);

    private static void Console(ILoggingBuilder logging)
    {
        BriefConsole.Add(logging, wholeExceptions: true);
        logging
            // It warns that the key ring is not encrypted itself: KeyRing says why.
            .AddFilter<ConsoleLoggerProvider>("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
            // A port that is taken is told in one sentence, at the end.
            .AddFilter<ConsoleLoggerProvider>("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }
}
