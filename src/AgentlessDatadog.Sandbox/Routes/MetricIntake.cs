using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>The key check and the three routes that take points.</summary>
internal sealed class MetricIntake(ApiKeys keys, MetricStore store, IntakeLimiter limiter)
{
    private static readonly ReadOnlyMemory<byte> AcceptedV1 = """{"status":"ok"}"""u8.ToArray();
    private static readonly ReadOnlyMemory<byte> AcceptedV2 = """{"errors":[]}"""u8.ToArray();
    private static readonly ReadOnlyMemory<byte> Valid = """{"valid":true}"""u8.ToArray();

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/validate", ValidateAsync).AllowAtIntake();
        Map(routes, IntakeRoute.SeriesV1, AcceptedV1, body => SeriesJson.ReadV1(body.Memory));
        Map(routes, IntakeRoute.Distributions, AcceptedV1, body => SeriesJson.ReadDistributions(body.Memory));
        Map(
            routes,
            IntakeRoute.SeriesV2,
            AcceptedV2,
            body =>
                body.MediaType == "application/json" ? SeriesJson.ReadV2(body.Memory) : SeriesProtobuf.Read(body.Span)
        );
    }

    private Task ValidateAsync(HttpContext context)
    {
        keys.RequireApiKey(context.Request);
        return JsonResponse.WriteAsync(context, StatusCodes.Status200OK, Valid);
    }

    private void Map(
        IEndpointRouteBuilder routes,
        IntakeRoute route,
        ReadOnlyMemory<byte> accepted,
        Func<IncomingBody, List<IncomingSeries>> read
    ) =>
        routes
            .MapPost(
                route.Path,
                async (HttpContext context) =>
                {
                    keys.RequireApiKey(context.Request);
                    await limiter.TakeAsync(
                        context,
                        route,
                        body =>
                        {
                            store.Apply(read(body));
                            return true;
                        }
                    );
                    await JsonResponse.WriteAsync(context, StatusCodes.Status202Accepted, accepted);
                }
            )
            .AllowAtIntake();
}
