using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Api;

/// <summary><c>POST …/metrics</c>: metrics of an operator's own, in the spec's words.</summary>
internal static class MetricsEndpoint
{
    // A body of 5 MB can hold errors by the hundred thousand: the answer names the first of them and counts the rest.
    private const int NamedRejections = 1000;

    private const int LongestKey = 200;

    private const string Example =
        """{"metric":"streamspace.custom.metric","value":42,"type":"gauge","tags":["custom:tag"]}""";

    /// <summary>Maps it; <paramref name="inForce"/> gives null while no config is in force.</summary>
    public static void Map(
        IEndpointRouteBuilder routes,
        Func<(DatadogConfig Config, TelemetryPipeline Pipeline)?> inForce
    )
    {
        routes
            .MapPost("/metrics", (Delegate)((HttpContext http) => TakeAsync(http, inForce())))
            .WithName("SendMetrics")
            .WithTags("datadog")
            .WithSummary("Send custom metrics to Datadog")
            .WithDescription(
                "One metric, or {\"series\":[…]}. 202 once kept, with the number accepted and every rejected item with "
                    + "its index and all that is wrong with it; 400 when none was accepted; 503 when it cannot be kept, which says whether "
                    + "it may be kept all the same. type is gauge, count, rate (the last value of an "
                    + "interval wins) or distribution; timestamp only for gauges and distributions. With an "
                    + "Idempotency-Key header, of 1 to 200 characters, a call that is repeated within 48 hours counts "
                    + "once; 422 when the key came with another body."
            )
            .WithMetadata(new RequestExample(Example))
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapDelete("/metrics/{name}", (string name) => ReleaseAsync(name, inForce()))
            .WithName("ReleaseMetric")
            .WithTags("datadog")
            .WithSummary("Let a custom metric have another type")
            .WithDescription(
                "The type of a metric that came by POST metrics is kept, over restarts, and another is refused. 204 once the name "
                    + "is free; 404 when none such is known; 409 while it has a value that is not flushed yet. In Datadog its type is "
                    + "changed on the page of the metric."
            )
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ReleaseAsync(
        string name,
        (DatadogConfig Config, TelemetryPipeline Pipeline)? inForce
    )
    {
        if (inForce is not var (_, pipeline))
        {
            return Results.Problem(
                "No valid config is in force: see GET status for what is wrong with it.",
                statusCode: StatusCodes.Status409Conflict
            );
        }
        try
        {
            return await pipeline.ReleaseMetricAsync(name, CancellationToken.None)
                ? Results.NoContent()
                : Results.Problem(
                    $"No metric named {name} came by POST metrics.",
                    statusCode: StatusCodes.Status404NotFound
                );
        }
        catch (MetricInUseException)
        {
            return Results.Problem(
                $"{name} is in use: stop sending it, and try again after the next flush.",
                statusCode: StatusCodes.Status409Conflict
            );
        }
        catch (StoreUnavailableException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> TakeAsync(
        HttpContext http,
        (DatadogConfig Config, TelemetryPipeline Pipeline)? inForce
    )
    {
        if (inForce is not ({ Enabled: true, EnableMetrics: true }, var pipeline))
        {
            return Results.Problem(
                inForce is null ? "No valid config is in force: see GET status for what is wrong with it."
                    : inForce.Value.Config.Enabled ? "enableMetrics is false: metrics are neither taken nor kept."
                    : "enabled is false: nothing is taken or kept.",
                statusCode: StatusCodes.Status409Conflict
            );
        }
        var key = http.Request.Headers["Idempotency-Key"];
        if (key.Count > 0 && key.ToString() is not { Length: > 0 and <= LongestKey })
        {
            // Taken without it, a repeated call would count twice.
            return Results.Problem(
                $"An Idempotency-Key has 1 to {LongestKey} characters: nothing was taken.",
                statusCode: StatusCodes.Status400BadRequest
            );
        }
        List<Measurement> accepted = [];
        List<Rejected> rejected = [];
        var (json, refusal) = await RequestJson.ReadAsync(http.Request);
        using var body = json;
        if (body is null)
        {
            return refusal!;
        }
        try
        {
            Sort(body.Root, pipeline, accepted, rejected);
        }
        catch (FormatException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
        }
        if (accepted.Count > 0)
        {
            try
            {
                await (
                    key.Count > 0
                        ? pipeline.KeepOnceAsync(key.ToString(), HashOf(body.Bytes), accepted, http.RequestAborted)
                        : pipeline.KeepAsync(accepted, http.RequestAborted)
                );
            }
            catch (KeyReusedException)
            {
                return Results.Problem(
                    "This Idempotency-Key came with another body within the last 48 hours: nothing was taken.",
                    statusCode: StatusCodes.Status422UnprocessableEntity
                );
            }
            catch (StoreUnavailableException e)
            {
                return Results.Problem(
                    !e.MayBeDurable ? $"Nothing of it was kept, send it again later: {e.Message}"
                        : key.Count > 0
                            ? $"Whether it was kept is not known, send it again later with the same key, and it counts once: {e.Message}"
                        : $"Whether it was kept is not known; sent again it may count twice, which an Idempotency-Key prevents: {e.Message}",
                    statusCode: StatusCodes.Status503ServiceUnavailable
                );
            }
        }
        return Answer(accepted.Count, rejected);
    }

    private static string HashOf(ReadOnlyMemory<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes.Span));

    private static void Sort(
        JsonElement body,
        TelemetryPipeline pipeline,
        List<Measurement> accepted,
        List<Rejected> rejected
    )
    {
        var index = 0;
        foreach (var (read, error) in MetricsBody.Read(body))
        {
            var broken = read is null ? null : pipeline.Check(read);
            if (error is null && broken is null)
            {
                accepted.Add(read!);
            }
            else
            {
                rejected.Add(new Rejected(index, string.Join("; ", new[] { broken, error }.OfType<string>())));
            }
            index++;
        }
    }

    private static IResult Answer(int accepted, List<Rejected> rejected)
    {
        var items = new JsonArray([
            .. rejected
                .Take(NamedRejections)
                .Select(r => (JsonNode)new JsonObject { ["index"] = r.Index, ["reason"] = r.Reason }),
        ]);
        var document = new JsonObject
        {
            ["accepted"] = accepted,
            ["rejected"] = items,
            ["rejectedCount"] = rejected.Count,
        };
        if (accepted > 0)
        {
            return Results.Text(document.ToJsonString(), "application/json", statusCode: StatusCodes.Status202Accepted);
        }
        document["type"] = "about:blank";
        document["title"] = "No metric was accepted";
        document["status"] = StatusCodes.Status400BadRequest;
        document["detail"] = $"{rejected[0].Reason} (item {rejected[0].Index}).";
        return Results.Text(
            document.ToJsonString(),
            "application/problem+json",
            statusCode: StatusCodes.Status400BadRequest
        );
    }
}
