using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using StreamSpace.PluginHost.Health;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>What the host answers for every plugin: its config and its status.</summary>
internal static class PluginApi
{
    public static void Map(IEndpointRouteBuilder routes, PluginSlot plugin)
    {
        var health = routes.ServiceProvider.GetRequiredService<HostHealth>();
        routes
            .MapGet("/config", (HttpResponse response) => Config(plugin, response))
            .RequireAuthorization(AccessRules.ForOperators)
            .WithSummary("The config in force")
            .WithDescription(
                "Needs the role operator or admin, for it names addresses. Secrets are left out. origins says where each setting "
                    + "comes from: a variable of the environment by its name, row (StreamSpace's page), saved (a call of this "
                    + "API), uninstalled (on StreamSpace's page) or default. While the plugin is off, what is kept, switched "
                    + "off; its environment is laid over that once it is on. The ETag is for If-Match of a change."
            )
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status403Forbidden);
        routes
            .MapMethods("/config", ["PUT", "PATCH"], (HttpRequest request) => ChangeConfigAsync(plugin, request))
            .WithSummary("Change the config")
            .WithDescription(
                "A key that is absent stays as it was, null clears one. A place that secrets are sent to (intakeUrl, tracesEndpoint, proxy) "
                    + "changes only together with the secrets that are kept. With any error nothing changes, and all errors "
                    + "are listed. What was kept and is not applied, with who holds it, or needs a second look, is listed as warnings. "
                    + "What a GET showed may be given back: origins in it counts for nothing. "
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
                    TypedResults.Ok(VisibleStatus.To(http.User, PluginStatus.Of(plugin, health.VerdictOf(plugin))))
            )
            .WithSummary("How the plugin stands")
            .WithDescription("The role user is shown figures and states, without sentences, paths and addresses.")
            .Produces<JsonObject>();
    }

    private static Ok<JsonObject> Config(PluginSlot plugin, HttpResponse response)
    {
        response.Headers.ETag = plugin.Configurator!.Config.Tag;
        return TypedResults.Ok(ConfigAnswer.Of(plugin));
    }

    private static async Task<IResult> ChangeConfigAsync(PluginSlot plugin, HttpRequest request)
    {
        var (change, refusal) = await RequestJson.ReadObjectAsync(request);
        if (change is null)
        {
            return refusal!;
        }
        ConfigAnswer.RemoveShown(change);
        // Not the request's token: a caller who hangs up must not leave a config half in force.
        var ifMatch = request.Headers.IfMatch.ToString() is { Length: > 0 } tag and not "*" ? tag : null;
        var errors = await plugin.Configurator!.ChangeAsync(change, ifMatch, CancellationToken.None);
        return errors switch
        {
            null => Problem.Of(
                StatusCodes.Status412PreconditionFailed,
                "The config has been changed since you read it: read it again, and change that."
            ),
            { Count: 0 } => Changed(plugin, change, request.HttpContext.Response),
            _ => Problem.Of(errors),
        };
    }

    private static Ok<JsonObject> Changed(PluginSlot plugin, JsonObject change, HttpResponse response)
    {
        var answer = Config(plugin, response);
        answer.Value!.Warn(plugin, change);
        return answer;
    }
}
