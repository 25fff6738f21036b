using AgentlessDatadog.Sandbox.Access;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Web;

/// <summary>The HTTP side of the host: sign-in, the page, health, the plugins' endpoints, and OpenAPI over them.</summary>
internal static class WebServer
{
    /// <summary>How long requests under way may take at the end.</summary>
    public static readonly TimeSpan RequestsTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Empty, so that no settings file and no ASPNETCORE_ variable says anything behind the operator's back.</summary>
    public static WebApplicationBuilder CreateBuilder(HostSettings settings, Action<ILoggingBuilder> log)
    {
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
        log(builder.Logging);
        builder.Services.AddSingleton(services =>
            Connections.ToApi(ActivatorUtilities.CreateInstance<SocketTransportFactory>(services))
        );
        return builder;
    }

    /// <summary>Maps all, and listens; gives where: a port 0 has become a number.</summary>
    /// <exception cref="StartupException">An address cannot be listened on.</exception>
    public static async Task<IReadOnlyList<Uri>> ListenAsync(
        WebApplication app,
        HostSettings settings,
        CancellationToken cancellationToken
    )
    {
        Use(app, settings);
        Map(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenAddress.IsAddressError(e))
        {
            throw ListenAddress.CannotListen(settings.Urls, "--urls", e);
        }
        var listening = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        return [.. listening.Addresses.Select(ListenAddress.From)];
    }

    private static void Use(WebApplication app, HostSettings settings)
    {
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
        // What answers a GET answers a HEAD. That no body goes out the server sees to, which goes by what was really asked
        // (docs/reference/dotnet.md §6).
        app.Use(
            (http, next) =>
            {
                if (HttpMethods.IsHead(http.Request.Method))
                {
                    http.Request.Method = HttpMethods.Get;
                }
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
        app.UsePluginVersion();
        app.UseRouting();
        app.UseAuthentication();
        app.UseCallersBody();
        app.UseAuthorization();
        app.UseBodyBound();
        app.UsePluginGate();
        app.UsePluginCallTimeout();
    }

    private static void Map(WebApplication app)
    {
        app.MapPage();
        app.MapHealth();
        app.MapPluginList();
        app.MapCatalog();
        app.MapEvents();
        app.MapApiDescription();
        ((IEndpointRouteBuilder)app).DataSources.Add(app.Services.GetRequiredService<PluginEndpoints>());
    }
}
