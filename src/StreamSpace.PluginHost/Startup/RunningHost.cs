using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Console;
using StreamSpace.Platform.Sources;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Health;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.PluginHost.Web;

namespace StreamSpace.PluginHost.Startup;

/// <summary>
/// The whole service from start to end. What may be refused by the machine (folder, ports) comes first, so that
/// nothing is sent anywhere by a process that cannot stay. Services are disposed of in the opposite order of their making,
/// and so is what they run.
/// </summary>
internal sealed class RunningHost(
    HostSettings settings,
    TimeProvider clock,
    Func<double> random,
    StartupConsole console
) : IAsyncDisposable
{
    private DataFolder? _data;
    private WebApplication? _app;
    private PluginRows? _rows;
    private PluginRetry? _retry;
    private HealthWatch? _health;

    /// <summary>Adds where what the host logs goes: the console, or a test's own place.</summary>
    public Action<ILoggingBuilder> Log { get; init; } = logging => Console(logging, clock);

    /// <summary>Adds where what plugins log goes, besides their files: the console, in brief, or a test's own place.</summary>
    public Action<ILoggingBuilder> PluginLog { get; init; } = logging => BriefConsole.Add(logging, clock);

    /// <summary>Where the API serves.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The link that signs a browser in, once.</summary>
    public Uri SignInLink { get; private set; } = null!;

    /// <exception cref="StartupException">The machine refuses something; the message says what to do.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        console.Say($"StreamSpace plugin host {HostStatus.Version}");
        _data = await DataFolder.TakeAsync(settings.DataFolder, console, clock, cancellationToken);
        console.Say($"Data folder: {_data.Path}");
        _app = Compose(_data);
        var services = _app.Services;
        Prepare(services, _data);
        await services.GetRequiredService<EmbeddedSandbox>().StartAsync(cancellationToken);
        services.GetRequiredService<DataWatch>().Start();
        // In this order: what tells the plugins ends before they do.
        services.GetRequiredService<PluginSet>();
        services.GetRequiredService<FeedSupervisor>();
        var addresses = await WebServer.ListenAsync(_app, settings, cancellationToken);
        await StartPluginsAsync(services, cancellationToken);
        services.GetRequiredService<HostHealth>().Started = true;
        _health = services.GetRequiredService<HealthWatch>();
        _data.Serve(new Uri(addresses[0], $"{settings.PathBase}/"));
        Greet(services, [.. addresses.Select(a => new Uri(a, $"{settings.PathBase}/"))]);
    }

    public async ValueTask DisposeAsync()
    {
        if (SignInLink is not null)
        {
            console.Say("Stopping.");
        }
        await (_health?.DisposeAsync() ?? default);
        await (_retry?.DisposeAsync() ?? default);
        await (_rows?.DisposeAsync() ?? default);
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
        _data?.Dispose();
    }

    private WebApplication Compose(DataFolder data)
    {
        var builder = WebServer.CreateBuilder(settings, Log);
        var listeners = new LogListeners();
        builder
            .Logging.AddProvider(listeners)
            // What the web server says of each request is none of the host's log, and may hold what opens something.
            .AddFilter<LogListeners>(null, LogLevel.Warning)
            .AddFilter<LogListeners>("StreamSpace", LogLevel.Information);
        var keys = new KeyRing(data.Folder("keys"));
        builder
            .Services.AddSingleton(settings)
            .AddSingleton(clock)
            .AddSingleton(random)
            .AddSingleton(console)
            .AddSingleton(listeners)
            .AddSingleton(services =>
                services.GetRequiredService<ILoggerFactory>().CreateLogger("StreamSpace.PluginHost")
            )
            .AddData(data, keys)
            .AddSignIn()
            .AddSingleton<EmbeddedSandbox>()
            .AddFeed()
            .AddPlugins(PluginLog)
            .AddPackages()
            .AddStreamSpaceRows()
            .AddWeb(keys);
        return builder.Build();
    }

    // What is found invalid without anything running.
    private void Prepare(IServiceProvider services, DataFolder data)
    {
        services.GetRequiredService<AccessTokens>();
        var store = services.GetRequiredService<HostStore>();
        store.File.WriteBarrier = data.Taken;
        var logger = services.GetRequiredService<ILogger>();
        if (store.Damage is { } damage)
        {
            logger.LogError("{Damage}", damage);
        }
        foreach (var warning in settings.EnvironmentWarnings)
        {
            logger.LogWarning("{Warning} {Fix}", warning.Found, warning.Fix);
        }
        if (Connections.Warning is { } few)
        {
            logger.LogWarning("{Few}", few);
        }
        services.GetRequiredService<IReadOnlyList<ISource>>();
    }

    private async Task StartPluginsAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var plugins = services.GetRequiredService<PluginSet>();
        FindPlugins(plugins, services.GetRequiredService<HostServices>());
        foreach (var plugin in plugins.All)
        {
            await console.StepAsync($"loading {plugin.Name}", () => plugin.LoadAsync(cancellationToken));
            Tell(plugin);
        }
        if (plugins.All.Count == 0)
        {
            console.Say($"No plugins: there is none in {settings.PluginsFolder}.");
        }
        _rows = services.GetRequiredService<PluginRows>();
        await console.StepAsync(
            "reading the plugins' rows in StreamSpace's database",
            () => _rows.StartAsync(cancellationToken)
        );
        // From now on they are served.
        plugins.NotifyChanged();
        _retry = services.GetRequiredService<PluginRetry>();
        var feeds = services.GetRequiredService<FeedSupervisor>();
        await console.StepAsync("attaching to the platform", () => feeds.SettleAsync(cancellationToken));
    }

    private void FindPlugins(PluginSet plugins, HostServices host)
    {
        var folder = settings.PluginsFolder;
        try
        {
            PluginsFolder.Recover(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is there runs all the same.
            console.Say($"What a crash has left in {folder} stays, for it cannot be put right: {e.Message}");
        }
        try
        {
            plugins.FindAll(host);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The plugins folder {folder} cannot be read: let this user read it, or name another with --plugins.",
                e
            );
        }
    }

    private void Tell(PluginSlot plugin)
    {
        var version = plugin.Manifest is { } manifest ? $" {manifest.Version}" : "";
        var where =
            plugin.Status["site"] is JsonValue site && site.TryGetValue(out string? name) ? $", site {name}" : "";
        var running = plugin.State.Phase is PluginPhase.Running ? $"running{where}" : "";
        var parts = new[] { running, plugin.State.Detail }.Where(part => part.Length > 0);
        console.Say($"Plugin {plugin.Name}{version}: {string.Join("; ", parts)}");
        foreach (var error in plugin.State.Errors)
        {
            console.Say($"  {error}");
        }
        if (plugin.Log is { Path: var log })
        {
            console.Say($"  Log: {log}");
        }
    }

    private void Greet(IServiceProvider services, IReadOnlyList<Uri> addresses)
    {
        Address = addresses[0];
        var code = services.GetRequiredService<SignInCodes>().Issue();
        SignInLink = new Uri(settings.PublicUrl ?? Address, $"sign-in?code={code}");
        console.Say(
            services.GetRequiredService<EmbeddedSandbox>().Address is { } sandbox
                ? $"Sandbox, a local Datadog: {sandbox}"
                : "Sandbox: none."
        );
        console.Say($"Serving on {string.Join(" and ", addresses)}");
        console.Say($"Sign in, once, within {SignInCodes.Lifetime.TotalMinutes:0} minutes: {SignInLink}");
    }

    private static void Console(ILoggingBuilder logging, TimeProvider clock)
    {
        BriefConsole.Add(logging, clock, wholeExceptions: true);
        logging
            // It warns that the key ring is not encrypted itself: KeyRing says why.
            .AddFilter<ConsoleLoggerProvider>("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
            // A port that is taken is told in one sentence, at the end.
            .AddFilter<ConsoleLoggerProvider>("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }
}
