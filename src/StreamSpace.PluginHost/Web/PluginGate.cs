using System.Globalization;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>Endpoint metadata: the handler is a plugin's own.</summary>
/// <param name="Plugin">Which plugin.</param>
/// <param name="Instance">Which copy of it.</param>
internal sealed record PluginEndpoint(PluginSlot Plugin, PluginInstance Instance);

/// <summary>
/// Answers for what is only on its way: while the host starts, and between two copies of a plugin, a good call gets 503 with
/// <c>Retry-After</c>. 404 is for what will not come.
/// </summary>
internal static class PluginGate
{
    private const string Plugins = "/api/plugins";

    // By which endpoints a request was routed.
    private static readonly object Version = new();

    /// <summary>Notes by which endpoints a request is about to be routed.</summary>
    /// <param name="app">Before routing.</param>
    public static void UsePluginVersion(this IApplicationBuilder app)
    {
        var endpoints = app.ApplicationServices.GetRequiredService<PluginEndpoints>();
        app.Use(
            (http, next) =>
            {
                http.Items[Version] = endpoints.Version;
                return next(http);
            }
        );
    }

    /// <param name="app">Behind routing and sign-in.</param>
    public static void UsePluginGate(this IApplicationBuilder app)
    {
        var plugins = app.ApplicationServices.GetRequiredService<PluginSet>();
        var endpoints = app.ApplicationServices.GetRequiredService<PluginEndpoints>();
        app.Use(
            (http, next) =>
            {
                if (!http.Request.Path.StartsWithSegments(Plugins, out var rest))
                {
                    return next(http);
                }
                if (endpoints.Version == 0)
                {
                    return RefuseAsync(http, ("The host is still starting.", PluginHealth.Soon));
                }
                var own = http.GetEndpoint()?.Metadata.GetMetadata<PluginEndpoint>();
                if (own is not null)
                {
                    return ThroughAsync(http, next, own);
                }
                if (http.GetEndpoint() is not null || Of(plugins, rest) is not { } plugin)
                {
                    return next(http);
                }
                if (plugin.OnItsWay is { } coming)
                {
                    return RefuseAsync(http, coming);
                }
                // It was looked for among the endpoints of another copy, or of none.
                var isOther = !endpoints.AreOf(plugin) || endpoints.Version != (int?)http.Items[Version];
                return isOther && plugin.IsLoaded ? RefuseLeavingAsync(http, plugin) : next(http);
            }
        );
    }

    /// <summary>Gives every 503 a <c>Retry-After</c> that has none: it is for calls that will be good later.</summary>
    public static void UseRetryAfter(this IApplicationBuilder app) =>
        app.Use(
            (http, next) =>
            {
                http.Response.OnStarting(() =>
                {
                    if (
                        http.Response.StatusCode == StatusCodes.Status503ServiceUnavailable
                        && http.Response.Headers.RetryAfter.Count == 0
                    )
                    {
                        http.Response.Headers.RetryAfter = Seconds(PluginHealth.Soon);
                    }
                    return Task.CompletedTask;
                });
                return next(http);
            }
        );

    private static async Task ThroughAsync(HttpContext http, RequestDelegate next, PluginEndpoint own)
    {
        if (own.Plugin.OnItsWay is { } coming)
        {
            await RefuseAsync(http, coming);
            return;
        }
        if (!own.Instance.TryEnter())
        {
            await RefuseLeavingAsync(http, own.Plugin);
            return;
        }
        try
        {
            await next(http);
        }
        catch (Exception) when (own.Instance.IsLeaving && !http.Response.HasStarted)
        {
            // Its copy was unloaded under its feet.
            await RefuseLeavingAsync(http, own.Plugin);
        }
        finally
        {
            own.Instance.Leave();
        }
    }

    private static Task RefuseLeavingAsync(HttpContext http, PluginSlot plugin)
    {
        if (plugin.State.Phase is PluginPhase.Disabled)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        return RefuseAsync(
            http,
            plugin.OnItsWay
                ?? ($"{plugin.Name} is giving way to another copy of it. Send the same again.", PluginHealth.Soon)
        );
    }

    private static PluginSlot? Of(PluginSet plugins, PathString rest) =>
        plugins.All.FirstOrDefault(p =>
            p.Manifest is { } manifest
            && rest.StartsWithSegments($"/{manifest.Route}", StringComparison.OrdinalIgnoreCase)
        );

    private static Task RefuseAsync(HttpContext http, (string Why, TimeSpan In) coming)
    {
        http.Response.Headers.RetryAfter = Seconds(coming.In);
        return Problem.Of(StatusCodes.Status503ServiceUnavailable, coming.Why).ExecuteAsync(http);
    }

    private static string Seconds(TimeSpan time) =>
        ((int)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
