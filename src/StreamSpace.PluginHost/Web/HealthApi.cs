using System.Text.Json.Nodes;
using StreamSpace.PluginHost.SignIn;

namespace StreamSpace.PluginHost.Web;

/// <summary>Health for whoever restarts or routes to us, and the status document for people.</summary>
internal static class HealthApi
{
    private const string Who = "Why not, an operator's token is told.";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var status = routes.ServiceProvider.GetRequiredService<HostStatus>();
        routes
            .MapGet("/healthz", (HttpContext http) => Answer(http, "ok", status.NotAlive))
            .AllowAnonymous()
            .WithTags("Health")
            .WithSummary("Whether the process is alive, and a restart of it would mend nothing")
            .WithDescription(
                "503 names an enabled plugin that has been isolated for five minutes and did not come back when it was tried "
                    + $"again, or for thirty where it has never run in this process. {Who}"
            )
            .Produces<string>(StatusCodes.Status200OK, "text/plain")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet("/readyz", (HttpContext http) => Answer(http, "ready", status.NotReady))
            .AllowAnonymous()
            .WithTags("Health")
            .WithSummary("Whether everything that is enabled can take and keep data")
            .WithDescription(Who)
            .Produces<string>(StatusCodes.Status200OK, "text/plain")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet(
                "/api/status",
                (HttpContext http) => TypedResults.Ok(VisibleStatus.To(http.User, status.Document()))
            )
            .WithTags("Host")
            .WithSummary("How the host stands, what it is attached to, and its plugins")
            .WithDescription(
                "It begins with a verdict, the worst of what there is to say. The role user is shown figures and states, without sentences, paths and addresses."
            )
            .Produces<JsonObject>();
    }

    // Anyone may ask, and what went wrong names paths and addresses.
    private static IResult Answer(HttpContext http, string well, IReadOnlyList<string> sentences) =>
        sentences.Count == 0
            ? TypedResults.Text(well)
            : Problem.Of(
                StatusCodes.Status503ServiceUnavailable,
                AccessRules.SeesAll(http.User)
                    ? string.Join(" ", sentences)
                    : "failing: something that is enabled cannot take and keep data. Sign in to see what, or ask an operator."
            );
}
