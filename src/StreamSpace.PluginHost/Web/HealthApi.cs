using System.Text.Json.Nodes;

namespace StreamSpace.PluginHost;

/// <summary>Health for whoever restarts or routes to us, and the status document for people.</summary>
internal static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder routes, HostStatus status)
    {
        routes
            .MapGet("/healthz", () => TypedResults.Text("ok"))
            .AllowAnonymous()
            .WithTags("Health")
            .WithSummary("Whether the process is alive")
            .Produces<string>(StatusCodes.Status200OK, "text/plain");
        routes
            .MapGet("/readyz", () => Ready(status))
            .AllowAnonymous()
            .WithTags("Health")
            .WithSummary("Whether everything that is enabled can take and keep data")
            .Produces<string>(StatusCodes.Status200OK, "text/plain")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet("/api/status", (HttpContext http) => TypedResults.Ok(Seen.By(http.User, status.Document())))
            .WithTags("Host")
            .WithSummary("What the host is attached to, and its plugins")
            .WithDescription("The role user is shown figures and states, without sentences, paths and addresses.")
            .Produces<JsonObject>();
    }

    private static IResult Ready(HostStatus status)
    {
        var sentences = status.NotReady;
        return sentences.Count == 0
            ? TypedResults.Text("ready")
            : Problem.Of(StatusCodes.Status503ServiceUnavailable, string.Join(" ", sentences));
    }
}
