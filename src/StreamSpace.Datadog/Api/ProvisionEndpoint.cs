using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamSpace.Datadog.Provisioning;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Api;

/// <summary><c>POST</c> and <c>GET …/provision</c>: dashboards, monitors, SLOs and metadata to the account, and how far that is.</summary>
internal static class ProvisionEndpoint
{
    private const string Path = "/provision";

    // A caller is cut off after 30 s; a run that takes longer is asked about.
    private static readonly TimeSpan Answered = TimeSpan.FromSeconds(15);

    /// <summary>Maps both.</summary>
    public static void Map(IEndpointRouteBuilder routes, AccountProvisioning provisioning, TimeProvider clock)
    {
        routes
            .MapPost(Path, (Delegate)((HttpContext http) => RunAsync(http, provisioning, clock)))
            .WithName("Provision")
            .WithTags("datadog")
            .WithSummary("Bring dashboards, monitors, SLOs and metric metadata to Datadog")
            .WithDescription(
                "Finds what is ours, makes what is missing and changes what is otherwise. With dryRun it only says what it would do, "
                    + "with delete it takes everything away. The answer lists each asset with its change (none, create, update, "
                    + "remove, wait, fail) and the fields in which it was otherwise. state is running for a run that takes longer "
                    + "than 15 s: ask with GET. Needs an application key: 409 says which rights. What waits is about a metric that "
                    + "Datadog has not heard of yet, and is tried again every five minutes."
            )
            .WithMetadata(new RequestExample("""{"dryRun":true,"delete":false}"""))
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        routes
            .MapGet(Path, (Delegate)(() => Answer(provisioning.Last)))
            .WithName("GetProvision")
            .WithTags("datadog")
            .WithSummary("How far the last run of provisioning is")
            .WithDescription("The same document as the answer of POST; state is none before the first run.")
            .Produces<JsonObject>();
    }

    private static async Task<IResult> RunAsync(HttpContext http, AccountProvisioning provisioning, TimeProvider clock)
    {
        if (provisioning.Obstacle is { } obstacle)
        {
            return Results.Problem(obstacle, statusCode: StatusCodes.Status409Conflict);
        }
        ProvisionRequest request;
        try
        {
            request = await ReadAsync(http);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return Results.Problem(
                "The body must be an object with dryRun and delete, each true or false, or nothing.",
                statusCode: StatusCodes.Status400BadRequest
            );
        }
        if (provisioning.Start(request) is not { } run)
        {
            return Results.Problem(
                "Another run is under way, which does something else: wait until it has ended.",
                statusCode: StatusCodes.Status409Conflict
            );
        }
        await run
            .Done.WaitAsync(Answered, clock, http.RequestAborted)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Answer(run);
    }

    private static async Task<ProvisionRequest> ReadAsync(HttpContext http)
    {
        using var bytes = new MemoryStream();
        // Bounded by the server.
        await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
        if (bytes.Length == 0)
        {
            return default;
        }
        using var body = JsonDocument.Parse(bytes.ToArray());
        var request = default(ProvisionRequest);
        if (body.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException();
        }
        foreach (var field in body.RootElement.EnumerateObject())
        {
            var isOn = field.Value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw new FormatException(),
            };
            request = field.Name switch
            {
                "dryRun" => request with { DryRun = isOn },
                "delete" => request with { Delete = isOn },
                _ => throw new FormatException(),
            };
        }
        return request;
    }

    private static IResult Answer(ProvisionRun? run) =>
        Results.Text((run?.Document() ?? new JsonObject { ["state"] = "none" }).ToJsonString(), "application/json");
}
