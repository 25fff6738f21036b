using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary><c>POST /api/events</c>: StreamSpace's webhooks, signed as it signs them, or with a token.</summary>
internal static class EventApi
{
    private const int NamedRejections = 1000;

    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        // Null when none may be taken because the demo would mix with them.
        var source = routes.ServiceProvider.GetRequiredService<FeedSupervisor>().Posted;
        var signature = routes.ServiceProvider.GetRequiredService<WebhookSignature>();
        var clock = routes.ServiceProvider.GetRequiredService<TimeProvider>();
        routes
            .MapPost("/api/events", (Delegate)((HttpContext http) => TakeAsync(http, source, signature, clock)))
            .RequireAuthorization(AccessRules.OrSigned)
            .WithTags("Host")
            .WithSummary("Tell of what happened on the platform")
            .WithDescription(
                "One event in StreamSpace's webhook form, or {\"events\":[…]}. Signed with X-StreamSpace-Signature, the "
                    + "lower-case hex HMAC-SHA256 of the body, or with a token of role operator or admin. 202 once it is "
                    + "in the host's log, on disk, where every plugin finds it; 503 when that cannot be, or takes more than ten "
                    + "seconds: send the same body again. The same event twice counts once; so one more than 47 hours old, or more than five minutes ahead, is "
                    + "refused, and the rest of its batch taken. webhook.test is answered as ignored: there is nothing in it to count."
            )
            .Accepts<JsonObject>("application/json")
            .WithMetadata(
                new RequestExample(
                    // Of now: one of long ago is refused.
                    $$$"""{"event":"session.created","timestamp":"{{{clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}}}","data":{"id":"ada-chrome-1","user_id":"ada","template_name":"chrome"}}"""
                )
            )
            .Produces<JsonObject>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status408RequestTimeout)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> TakeAsync(
        HttpContext http,
        WebhookSource? source,
        WebhookSignature signature,
        TimeProvider clock
    )
    {
        var (json, refusal) = await RequestJson.ReadAsync(
            http.Request,
            bytes => Foreign(http, signature, bytes) ?? (source is null ? DemoRuns() : null)
        );
        using (json)
        {
            return json is null ? refusal! : await TakeAsync(json.Root, source!, clock, http.RequestAborted);
        }
    }

    // Null: it bears no signature, or that of its sender.
    private static IResult? Foreign(HttpContext http, WebhookSignature signature, ReadOnlyMemory<byte> body) =>
        !WebhookSignature.IsGiven(http.Request) || signature.Verify(http, body.Span)
            ? null
            : http.RequestServices.GetRequiredService<FailedSignIns>().Count(http)
                ?? Problem.Of(
                    StatusCodes.Status401Unauthorized,
                    $"The signature is not that of this body: is {WebhookSignature.SecretVariable} the webhook's own secret?"
                );

    private static ProblemHttpResult DemoRuns() =>
        Problem.Of(
            StatusCodes.Status409Conflict,
            $"The demo runs, and real events must not mix with invented ones: set {WebhookSignature.SecretVariable}, or attach a source."
        );

    private static async Task<IResult> TakeAsync(
        JsonElement body,
        WebhookSource source,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var batch = Batch(body);
        if (batch is { ValueKind: not JsonValueKind.Array })
        {
            return Problem.Of(StatusCodes.Status400BadRequest, "\"events\" must be a list.");
        }
        List<JsonElement> items = batch is { } list ? [.. list.EnumerateArray()] : [body];
        var observations = new List<Observation>();
        var rejected = new List<(int Index, string Reason)>();
        for (var i = 0; i < items.Count; i++)
        {
            var (seen, reason) = WebhookEvent.Read(items[i], clock.GetUtcNow());
            if (seen is UserActed && !source.OwnsUsers)
            {
                (seen, reason) = (null, "facts about users come from PostgreSQL here, and would be counted twice");
            }
            if (reason is not null)
            {
                rejected.Add((i, reason));
            }
            else if (seen is not null)
            {
                observations.Add(seen);
            }
        }
        if (observations.Count > 0 && !await source.TakeAsync(observations, cancellationToken))
        {
            return Problem.Of(
                StatusCodes.Status503ServiceUnavailable,
                "It could not be kept in time, and may be kept all the same. Send the same body again later: what is in it counts once."
            );
        }
        return Answer(observations.Count, items.Count - observations.Count - rejected.Count, rejected);
    }

    // By its bytes: a name beside it that is no text cannot be compared otherwise.
    private static JsonElement? Batch(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        var list = body.EnumerateObject()
            .LastOrDefault(p => JsonMarshal.GetRawUtf8PropertyName(p).SequenceEqual("events"u8));
        return list.Value.ValueKind == JsonValueKind.Undefined ? null : list.Value;
    }

    private static IResult Answer(int accepted, int ignored, List<(int Index, string Reason)> rejected)
    {
        if (accepted + ignored == 0)
        {
            var first = rejected is [var one, ..]
                ? string.Create(CultureInfo.InvariantCulture, $"Event {one.Index}: {one.Reason}.")
                : "There is no event in it.";
            return Problem.Of(StatusCodes.Status400BadRequest, first);
        }
        var named = rejected
            .Take(NamedRejections)
            .Select(r => (JsonNode)new JsonObject { ["index"] = r.Index, ["reason"] = r.Reason });
        return Results.Json(
            new JsonObject
            {
                ["accepted"] = accepted,
                ["ignored"] = ignored,
                ["rejected"] = new JsonArray([.. named]),
                ["rejectedCount"] = rejected.Count,
            },
            statusCode: StatusCodes.Status202Accepted
        );
    }
}
