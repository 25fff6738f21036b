using AgentlessDatadog.Sandbox.Access;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Web;

/// <summary>The HTTP side of the host: sign-in, the page, health, the plugins' endpoints, and OpenAPI over them.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly PluginEndpoints _endpoints;

    private WebServer(WebApplication app, PluginEndpoints endpoints) => (_app, _endpoints) = (app, endpoints);

    /// <summary>Where it really listens; a port 0 has become a number.</summary>
    public IReadOnlyList<Uri> Addresses =>
        [
            .. _app
                .Services.GetRequiredService<IServer>()
                .Features.Get<IServerAddressesFeature>()!
                .Addresses.Select(ListenAddress.From),
        ];

    /// <exception cref="StartupException">An address cannot be listened on.</exception>
    public static async Task<WebServer> StartAsync(
        HostSettings settings,
        HostStatus status,
        InstalledPlugins plugins,
        PluginCatalog catalog,
        Func<HostServices> host,
        WebhookSource? posted,
        TimeProvider clock,
        AccessTokens tokens,
        SignInCodes codes,
        KeyRing keys,
        Action<ILoggingBuilder> console,
        CancellationToken cancellationToken
    )
    {
        // Empty, so that no settings file and no ASPNETCORE_ variable says anything behind the operator's back.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                RequestLimits.Bound(kestrel.Limits);
                Connections.Bound(kestrel.Limits);
            })
            .UseUrls([.. settings.Urls]);
        console(builder.Logging);
        builder.Services.AddSingleton(services =>
            Connections.ToApi(ActivatorUtilities.CreateInstance<SocketTransportFactory>(services))
        );
        var endpoints = new PluginEndpoints();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainTimeout);
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.MaxDepth = RequestLimits.Deepest);
        builder.Services.AddRouting();
        // ASP.NET Core wants a key ring of its own; left alone it would make one in the user's home.
        keys.Configure(builder.Services.AddDataProtection());
        builder.Services.AddSingleton(new FailedSignIns(clock));
        var signature = new WebhookSignature(settings.Environment);
        builder.Services.AddSignIn(tokens, signature);

        var app = builder.Build();
        app.UsePathBase(settings.PathBase);
        app.Use(
            (http, next) =>
            {
                http.Response.Headers.XContentTypeOptions = "nosniff";
                // Whoever answers something that may be kept says so.
                http.Response.Headers.CacheControl = "no-store";
                return next(http);
            }
        );
        app.UseRetryAfter();
        app.UseProblems();
        var names = new HostGate(settings.Urls, settings.PublicUrl);
        app.Use(
            (http, next) =>
                names.Refuse(http.Request) is { } foreign
                    ? Problem.Of(StatusCodes.Status421MisdirectedRequest, foreign).ExecuteAsync(http)
                    : next(http)
        );
        app.UsePluginVersion(endpoints);
        app.UseRouting();
        app.UseAuthentication();
        app.UseCallersBody();
        app.UseAuthorization();
        app.UseBodyBound();
        app.UsePluginGate(plugins, endpoints);
        app.UsePluginCallTimeout(settings.CallTimeout, clock);
        app.MapPage(settings.PublicUrl, tokens, codes);
        app.MapHealth(status);
        app.MapPluginList(plugins, clock);
        app.MapCatalog(plugins, catalog, host);
        app.MapEvents(posted, signature, clock);
        app.MapApiDescription(() => endpoints.Version);
        ((IEndpointRouteBuilder)app).DataSources.Add(endpoints);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenAddress.IsRefusal(e))
        {
            await app.DisposeAsync();
            throw ListenAddress.CannotListen(settings.Urls, "--urls", e);
        }
        return new WebServer(app, endpoints);
    }

    /// <summary>Serves the endpoints of <paramref name="plugins"/>, and of no others.</summary>
    public void Serve(PluginSet plugins) => _endpoints.Set(plugins.All, _app.Services);

    /// <summary>Takes no further request, and waits some seconds for those that run.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _endpoints.Dispose();
    }
}
