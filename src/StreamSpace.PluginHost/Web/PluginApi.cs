using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>What the host answers for every plugin: its config and its status.</summary>
internal static class PluginApi
{
    public static void Map(IEndpointRouteBuilder routes, PluginSlot plugin)
    {
        routes
            .MapGet("/config", (HttpResponse response) => Config(plugin, response))
            .RequireAuthorization(AccessRules.ForOperators)
            .WithSummary("The config in force")
            .WithDescription(
                "Needs the role operator or admin, for it names addresses. Secrets are left out. While the plugin is off, the one that will be in force. The ETag is for If-Match of a change."
            )
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status403Forbidden);
        routes
            .MapMethods("/config", ["PUT", "PATCH"], (HttpRequest request) => ChangeConfigAsync(plugin, request))
            .WithSummary("Change the config")
            .WithDescription(
                "A key that is absent stays as it was, null clears one. A place that secrets are sent to (intakeUrl, proxy) "
                    + "changes only together with the secrets that are kept. With any fault nothing changes, and all faults "
                    + "are listed. What was kept and is not applied, or needs a second look, is listed as warnings. "
                    + "With If-Match and the ETag of a GET, a change by somebody else in between is answered with 412."
            )
            .Accepts<JsonObject>("application/json")
            .WithMetadata(new RequestExample(plugin.Manifest!.DefaultConfig.ToJsonString()))
            .Produces<JsonObject>()
            .Produces<ConfigProblem>(StatusCodes.Status400BadRequest, "application/problem+json")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet(
                "/status",
                (HttpContext http) =>
                    TypedResults.Ok(VisibleStatus.To(http.User, PluginStatus.Of(plugin, plugin.Sources)))
            )
            .WithSummary("How the plugin stands")
            .WithDescription("The role user is shown figures and states, without sentences, paths and addresses.")
            .Produces<JsonObject>();
    }

    private static Ok<JsonObject> Config(PluginSlot plugin, HttpResponse response)
    {
        var config = plugin.Configurator!;
        response.Headers.ETag = config.Config.Tag;
        return TypedResults.Ok(config.InForce);
    }

    private static async Task<IResult> ChangeConfigAsync(PluginSlot plugin, HttpRequest request)
    {
        var (change, refusal) = await RequestJson.ReadObjectAsync(request);
        if (change is null)
        {
            return refusal!;
        }
        // Not the request's token: a caller who hangs up must not leave a config half in force.
        var ifMatch = request.Headers.IfMatch.ToString() is { Length: > 0 } tag and not "*" ? tag : null;
        var faults = await plugin.Configurator!.ChangeAsync(change, ifMatch, CancellationToken.None);
        return faults switch
        {
            null => Problem.Of(
                StatusCodes.Status412PreconditionFailed,
                "The config has been changed since you read it: read it again, and change that."
            ),
            { Count: 0 } => Changed(plugin, change, request.HttpContext.Response),
            _ => Problem.Of(faults),
        };
    }

    private static Ok<JsonObject> Changed(PluginSlot plugin, JsonObject change, HttpResponse response)
    {
        var answer = Config(plugin, response);
        var warnings = plugin
            .Ask(p => p.Findings, nobody: [], broken: _ => [])
            .Where(f => change.ContainsKey(f.What))
            .Select(f => (JsonNode)$"{f.Found} {f.Fix}".TrimEnd())
            .ToArray();
        if (warnings.Length > 0)
        {
            answer.Value!["warnings"] = new JsonArray(warnings);
        }
        return answer;
    }
}
