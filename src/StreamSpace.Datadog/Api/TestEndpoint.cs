using System.Text.Json.Nodes;
using AgentlessDatadog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Health;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Api;

/// <summary>
/// <c>POST …/test</c>: one canary through each lane that is on, and what was answered. What it sends is seen in Datadog, so it
/// is done once in ten seconds at most.
/// </summary>
internal sealed class TestEndpoint(TimeProvider clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long? _last;

    /// <summary>Maps it; <paramref name="inForce"/> gives null while no config is in force.</summary>
    public void Map(IEndpointRouteBuilder routes, Func<(DatadogConfig Config, TelemetryPipeline Pipeline)?> inForce) =>
        routes
            .MapPost("/test", (Delegate)((HttpContext http) => TestAsync(http, inForce())))
            .WithName("TestConnection")
            .WithTags("datadog")
            .WithSummary("Send one canary through each lane, and say what was answered")
            .WithDescription(
                "Sends a metric point (streamspace.datadog.canary), a distribution point, an event and, where they are on, a log "
                    + "entry and a span, past the queue and the ledger. For each lane the answer: status, its words, how long it "
                    + "took, and what to do; ok is true when all were taken. Takes 25 s at most, and is done once in ten seconds."
            )
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status429TooManyRequests);

    private async Task<IResult> TestAsync(HttpContext http, (DatadogConfig Config, TelemetryPipeline Pipeline)? inForce)
    {
        if (inForce is not ({ Enabled: true } config, var pipeline))
        {
            return Results.Problem(
                inForce is null
                    ? "No valid config is in force: see GET status for what is wrong with it."
                    : "enabled is false: nothing is sent.",
                statusCode: StatusCodes.Status409Conflict
            );
        }
        if (!IsDue())
        {
            http.Response.Headers.RetryAfter = $"{Pause.TotalSeconds:0}";
            return Results.Problem(
                $"There was a test within the last {Pause.TotalSeconds:0} s: try again.",
                statusCode: StatusCodes.Status429TooManyRequests
            );
        }
        var tests = await pipeline.TestAsync(http.RequestAborted);
        return Results.Text(Document(tests, config.TracesEndpoint).ToJsonString(), "application/json");
    }

    // By a timestamp, which no setting of the clock moves.
    private bool IsDue()
    {
        lock (_lock)
        {
            if (_last is { } last && clock.GetElapsedTime(last) < Pause)
            {
                return false;
            }
            _last = clock.GetTimestamp();
            return true;
        }
    }

    /// <summary>What the canaries of a test have shown, as it is answered.</summary>
    internal static JsonObject Document(IReadOnlyList<LaneTest> tests, Uri? tracesEndpoint) =>
        new()
        {
            ["ok"] = tests.All(test => LaneFindings.Of(test, tracesEndpoint).Verdict is CheckVerdict.Good),
            ["lanes"] = new JsonArray([
                .. tests.Select(test =>
                {
                    var finding = LaneFindings.Of(test, tracesEndpoint);
                    return new JsonObject
                    {
                        ["lane"] = test.Lane,
                        ["verdict"] = StatusDocument.Word(test.Verdict),
                        ["refusal"] = test.ParkReason is { } reason ? StatusDocument.Word(reason) : null,
                        ["status"] = test.Status,
                        ["milliseconds"] = (long)test.Took.TotalMilliseconds,
                        ["found"] = finding.Found,
                        ["fix"] = finding.Fix,
                    };
                }),
            ]),
        };
}
