using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Takes logs (docs/reference/datadog.md §6).</summary>
internal sealed class LogIntake(
    ApiKeys keys,
    ArrivalStore<StoredLog> logs,
    DropList drops,
    IntakeLimiter limiter,
    TimeProvider time
)
{
    private static readonly ReadOnlyMemory<byte> Accepted = "{}"u8.ToArray();

    public void Map(IEndpointRouteBuilder routes) => routes.MapPost(IntakeRoute.Logs.Path, TakeAsync).AllowAtIntake();

    private async Task TakeAsync(HttpContext context)
    {
        try
        {
            keys.RequireApiKey(context.Request, missing: StatusCodes.Status401Unauthorized);
            var reader = new LogJson(time.GetUtcNow(), context.Request.Query["ddtags"].ToString());
            await limiter.TakeAsync(
                context,
                IntakeRoute.Logs,
                body =>
                {
                    logs.Add([.. reader.Read(body.Memory)]);
                    drops.Add([.. reader.Dropped]);
                    return true;
                }
            );
        }
        catch (ApiError error)
        {
            throw new ApiError(error.Status, error.Message) { Form = ErrorForm.Objects };
        }
        await JsonResponse.WriteAsync(context, StatusCodes.Status202Accepted, Accepted);
    }
}
