using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Health;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>Health for whoever restarts or routes to us, and the status document for people.</summary>
internal static class HealthApi
{
    private const string Who = "Why not, an operator's token is told.";
    private const string HowToSee = "Sign in to see what, or ask an operator.";
    private const string Failing = $"failing: something that is enabled cannot take and keep data. {HowToSee}";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var status = routes.ServiceProvider.GetRequiredService<HostStatus>();
        var health = routes.ServiceProvider.GetRequiredService<HostHealth>();
        routes
            .MapGet("/healthz", (HttpContext http) => Alive(http, health.NotAlive))
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
            .MapGet("/readyz", (HttpContext http) => Ready(http, health))
            .AllowAnonymous()
            .WithTags("Health")
            .WithSummary("Whether everything that is enabled can take and keep data")
            .WithDescription(
                "The body begins with the verdict: ok, degraded or failing. What it is about, an operator's token is told."
            )
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
    private static IResult Alive(HttpContext http, IReadOnlyList<string> sentences) =>
        sentences.Count == 0
            ? TypedResults.Text("ok")
            : Problem.Of(
                StatusCodes.Status503ServiceUnavailable,
                AccessRules.SeesAll(http.User) ? string.Join(" ", sentences) : Failing
            );

    // The status code says whether data can be taken and kept; the verdict says more, such as that nothing is sent.
    private static IResult Ready(HttpContext http, HostHealth health)
    {
        var errors = health.ReadinessErrors;
        var verdict = health.Verdict;
        var said = AccessRules.SeesAll(http.User) ? Whole(verdict, errors) : Word(verdict, isReady: errors.Count == 0);
        return errors.Count == 0 ? TypedResults.Text(said) : Problem.Of(StatusCodes.Status503ServiceUnavailable, said);
    }

    private static string Whole(PluginVerdict verdict, IReadOnlyList<string> errors) =>
        string.Join(
            " ",
            [
                $"{PluginStatus.Word(verdict.State)}: {verdict.Sentence}",
                .. verdict.Fix is { } fix ? (string[])[fix] : [],
                .. errors.Where(why => why != verdict.Sentence),
            ]
        );

    private static string Word(PluginVerdict verdict, bool isReady) =>
        verdict.State switch
        {
            VerdictState.Ok => "ok",
            VerdictState.Degraded => $"degraded: it works, and there is something to know. {HowToSee}",
            _ when isReady => $"failing: something waits or is lost until it is mended. {HowToSee}",
            _ => Failing,
        };
}
