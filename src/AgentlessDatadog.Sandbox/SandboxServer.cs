using System.Diagnostics;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Faults;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Monitors;
using AgentlessDatadog.Sandbox.Routes;
using AgentlessDatadog.Sandbox.Store;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentlessDatadog.Sandbox;

/// <summary>
/// A strict local Datadog: takes what Datadog takes, refuses what it refuses, drops what it drops and says so, and
/// answers questions about the rest through Datadog's own API. Everything is held in memory, within bounds.
/// </summary>
public sealed class SandboxServer : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly IntakeLimiter _limiter;

    private SandboxServer(WebApplication app, IntakeLimiter limiter, IReadOnlyList<Uri> addresses)
    {
        _app = app;
        _limiter = limiter;
        Addresses = addresses;
    }

    /// <summary>Where it listens, with the ports that were really taken.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="options">How.</param>
    /// <param name="time">The clock that all time windows and retention follow.</param>
    /// <param name="loggerFactory">Takes warnings and errors of the server itself; null for none.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ArgumentException">An option is not valid; the message says which and what is.</exception>
    /// <exception cref="IOException">The address is in use or is not this machine's.</exception>
    public static Task<SandboxServer> StartAsync(
        SandboxOptions options,
        TimeProvider time,
        ILoggerFactory? loggerFactory,
        CancellationToken cancellationToken
    ) => StartAsync(options, time, loggerFactory, server: null, cancellationToken);

    /// <summary>Starts on another server than Kestrel: one that listens to no network, for a test.</summary>
    internal static async Task<SandboxServer> StartAsync(
        SandboxOptions options,
        TimeProvider time,
        ILoggerFactory? loggerFactory,
        IServer? server,
        CancellationToken cancellationToken
    )
    {
        Check(options);
        var keys = new ApiKeys(options.Keys);
        loggerFactory ??= NullLoggerFactory.Instance;

        var limits = options.Limits;
        var drops = new DropList(limits.Dropped);
        var metrics = new MetricStore(limits, options.Retention, drops, time);
        var events = new ArrivalStore<StoredEvent>(limits.Events, limits.EventBytes, options.Retention, time);
        var spans = new ArrivalStore<StoredSpan>(limits.Spans, limits.SpanBytes, options.Retention, time);
        var logs = new ArrivalStore<StoredLog>(limits.Logs, limits.LogBytes, options.Retention, time);
        var faults = new FaultTable();
        var limiter = new IntakeLimiter();
        var history = new RequestHistory(limits.Requests, limits.PayloadBytes);
        AssetStore Assets(string kind) => new(kind, limits.Assets, limits.AssetBytes);
        var dashboards = Assets("dashboards");
        var monitors = Assets("monitors");
        var slos = Assets("SLOs");
        var entities = Assets("entities");
        var configurations = Assets("tag configurations");
        var reads = new MetricReads(keys, metrics, configurations);
        var pipeline = new RequestPipeline(
            options,
            new FaultInjector(faults, time),
            history,
            time,
            loggerFactory.CreateLogger<RequestPipeline>()
        );

        var app = Build(options, loggerFactory, server);
        app.UseRouting();
        app.Use(next => context => pipeline.InvokeAsync(context, next));
        new MetricIntake(keys, metrics, limiter).Map(app);
        reads.Map(app);
        new FormulaRoutes(keys, metrics, configurations, events, spans, logs).Map(app);
        new EventRoutes(keys, events, drops, limiter, time).Map(app);
        new TraceIntake(keys, spans, metrics, drops, limiter, time).Map(app);
        new LogIntake(keys, logs, drops, limiter, time).Map(app);
        new SearchRoutes(keys, spans, logs, events, time).Map(app);
        new DashboardRoutes(keys, dashboards, time).Map(app);
        new MonitorRoutes(keys, monitors, slos, new MonitorStates(monitors, metrics, configurations, time), time).Map(
            app
        );
        new SloRoutes(keys, slos, dashboards, time).Map(app);
        new TagConfigurationRoutes(keys, configurations, metrics, time).Map(app);
        new CatalogRoutes(keys, entities, time).Map(app);
        new SandboxRoutes(drops, metrics, events, spans, logs, faults, history).Map(app);
        new PageRoutes(metrics, events, spans, logs, history, reads, time).Map(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            limiter.Dispose();
            throw;
        }
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        return new SandboxServer(app, limiter, [.. bound.Addresses.Select(address => new Uri(address))]);
    }

    /// <summary>Stops listening; requests under way get two seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        await _app.StopAsync(timeout.Token);
        await _app.DisposeAsync();
        _limiter.Dispose();
    }

    private static WebApplication Build(SandboxOptions options, ILoggerFactory loggerFactory, IServer? server)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Each route has its own limit and answers 413 in Datadog's words (IncomingBody).
            kestrel.Limits.MaxRequestBodySize = null;
        });
        if (server is not null)
        {
            builder.Services.Replace(ServiceDescriptor.Singleton(server));
        }

        builder.WebHost.UseUrls([.. options.Urls]);
        if (options.Listener is { } listener)
        {
            builder.Services.AddSingleton(services =>
                listener(ActivatorUtilities.CreateInstance<SocketTransportFactory>(services))
            );
        }
        builder.Services.AddRoutingCore();
        // Who traces this process means its own program: what is sent here would be traced for ever.
        builder.Services.Replace(ServiceDescriptor.Singleton(new ActivitySource("AgentlessDatadog.Sandbox")));
        builder.Services.Replace(ServiceDescriptor.Singleton(loggerFactory));
        // The process belongs to whoever embeds us: signals and console are not ours.
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        return builder.Build();
    }

    private static void Check(SandboxOptions options)
    {
        if (options.Retention < TimeSpan.FromMinutes(10) || options.Retention > TimeSpan.FromDays(7))
        {
            throw new ArgumentException("Retention must be 10 minutes to 7 days.", nameof(options));
        }
        if (options.Urls.Count == 0)
        {
            throw new ArgumentException("Give at least one URL to listen on.", nameof(options));
        }
        foreach (var url in options.Urls)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp)
            {
                throw new ArgumentException($"{url} is not an http:// URL.", nameof(options));
            }
            if (options is { Gate: null, AccessToken: null } && !HostGate.IsLoopback(uri.Host))
            {
                throw new ArgumentException(
                    $"{url} is not on this machine alone; without sign-in the sandbox listens on loopback only.",
                    nameof(options)
                );
            }
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
