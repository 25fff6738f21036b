using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Web;

/// <summary>Cuts off a request to a plugin's own endpoint that takes too long.</summary>
internal static class PluginCallTimeout
{
    // For a handler that looks at its token and ends in order.
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(1);

    public static void UsePluginCallTimeout(this IApplicationBuilder app)
    {
        var timeout = app.ApplicationServices.GetRequiredService<HostSettings>().CallTimeout;
        var clock = app.ApplicationServices.GetRequiredService<TimeProvider>();
        app.Use(
            (http, next) =>
                http.GetEndpoint()?.Metadata.GetMetadata<PluginEndpoint>() is null
                    ? next(http)
                    : WithinAsync(http, next, timeout, clock)
        );
    }

    private static async Task WithinAsync(HttpContext http, RequestDelegate next, TimeSpan timeout, TimeProvider clock)
    {
        var caller = http.RequestAborted;
        using var late = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(caller, late.Token);
        // A handler that looks at no token goes on for as long as it likes; its caller does not have to.
        await using var cut = clock.CreateTimer(
            _ => http.Abort(),
            null,
            timeout + AbortTimeout,
            Timeout.InfiniteTimeSpan
        );
        http.RequestAborted = either.Token;
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !http.Response.HasStarted)
        {
            await Problem
                .Of(
                    StatusCodes.Status504GatewayTimeout,
                    $"The plugin did not answer within {timeout.TotalSeconds:0.#} s, and was cut off: whether it took what was sent is not known."
                )
                .ExecuteAsync(http);
        }
        finally
        {
            http.RequestAborted = caller;
        }
    }
}
