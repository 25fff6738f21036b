using System.Globalization;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Faults;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Routes;

namespace AgentlessDatadog.Sandbox;

/// <summary>What every request goes through: headers, gate, history, faults, and refusals turned into answers.</summary>
internal sealed partial class RequestPipeline(
    SandboxOptions options,
    FaultInjector faults,
    RequestHistory history,
    TimeProvider time,
    ILogger<RequestPipeline> logger
)
{
    private const int MaxEncodingName = 20;

    // The page is our own files and nothing else: no inline script or style, no frame around it, no other host.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly HostGate _names = new(options.Urls, options.PublicUrl);

    private readonly Func<HttpContext, SandboxAccess> _gate =
        options.Gate ?? (options.AccessToken is { } token ? new AccessToken(token).Of : _ => SandboxAccess.Write);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        // By the clock that points are judged by: the server's own header is up to a second old, or a suspended night.
        headers.Date = time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);

        if (_names.Refuse(context.Request) is { } foreign)
        {
            await JsonResponse.RefuseAsync(context, StatusCodes.Status421MisdirectedRequest, foreign);
        }
        else if (Lacking(context) is { } status)
        {
            await JsonResponse.RefuseAsync(
                context,
                status,
                status == StatusCodes.Status401Unauthorized ? "Unauthorized" : "Forbidden: this changes something"
            );
        }
        else if (PathPattern.IsApi(context.Request.Path))
        {
            await RecordAsync(context, next);
        }
        else
        {
            await RefusableAsync(context, next);
        }
    }

    private int? Lacking(HttpContext context)
    {
        if (EndpointMarks.IsIntake(context))
        {
            return null;
        }
        return _gate(context) switch
        {
            SandboxAccess.None => StatusCodes.Status401Unauthorized,
            SandboxAccess.Read when !EndpointMarks.IsReading(context) => StatusCodes.Status403Forbidden,
            _ => null,
        };
    }

    private async Task RecordAsync(HttpContext context, RequestDelegate next)
    {
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        var record = new RequestRecord(
            time.GetUtcNow(),
            context.Request.Method,
            context.Request.Path,
            encoding.Truncate(MaxEncodingName),
            options.KeepPayloads
        );
        context.Features.Set(record);
        try
        {
            await faults.InvokeAsync(
                context,
                record,
                async inner =>
                {
                    await RefusableAsync(inner, next);
                    record.Status = inner.Response.StatusCode;
                }
            );
        }
        finally
        {
            history.Add(record);
        }
    }

    private async Task RefusableAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.GetEndpoint() is null)
            {
                await JsonResponse.RefuseAsync(context, StatusCodes.Status404NotFound, "Not found");
            }
        }
        catch (ApiError error)
        {
            if (error.Status == StatusCodes.Status503ServiceUnavailable)
            {
                context.Response.Headers.RetryAfter = "1";
            }
            await JsonResponse.RefuseAsync(context, error.Status, error.Message, error.Form);
        }
        catch (BadHttpRequestException e)
        {
            // Kestrel's own limits: a body that drips too slowly, a chunk that is none.
            await JsonResponse.RefuseAsync(context, e.StatusCode, "Bad request");
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            LogFailure(context.Request.Path, e);
            await JsonResponse.RefuseAsync(context, StatusCodes.Status500InternalServerError, "Internal error");
        }
    }

    [LoggerMessage(LogLevel.Error, "The sandbox failed on {Path}")]
    private partial void LogFailure(string path, Exception exception);
}
