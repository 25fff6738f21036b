using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>What the host answers for every plugin: its config and its status.</summary>
internal static class PluginApi
{
    public static void Map(IEndpointRouteBuilder routes, HostedPlugin plugin)
    {
        routes
            .MapGet("/config", () => Config(plugin))
            .WithSummary("The config in force")
            .WithDescription("Secrets are left out.")
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapPut("/config", (HttpRequest request) => ChangeConfigAsync(plugin, request))
            .WithSummary("Change the config")
            .WithDescription(
                "A key that is absent stays as it was, null clears one. With any fault nothing changes, and all faults are listed."
            )
            .Accepts<JsonObject>("application/json")
            .WithMetadata(new RequestExample(plugin.Manifest!.DefaultConfig.ToJsonString()))
            .Produces<JsonObject>()
            .Produces<ConfigProblem>(StatusCodes.Status400BadRequest, "application/problem+json")
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet("/status", () => TypedResults.Ok(PluginStatus.Of(plugin, plugin.Sources)))
            .WithSummary("How the plugin stands")
            .Produces<JsonObject>();
    }

    private static IResult Config(HostedPlugin plugin) =>
        plugin.Plugin is null ? NotLoaded(plugin) : TypedResults.Ok(plugin.Config);

    private static async Task<IResult> ChangeConfigAsync(HostedPlugin plugin, HttpRequest request)
    {
        var (change, refusal) = await Bodies.ReadObjectAsync(request);
        if (change is null)
        {
            return refusal!;
        }
        if (plugin.Plugin is null)
        {
            return NotLoaded(plugin);
        }
        try
        {
            // Not the request's token: a caller who hangs up must not leave a config half in force.
            var faults = await plugin.ChangeConfigAsync(change, CancellationToken.None);
            return faults.Count == 0 ? Config(plugin) : Problem.Of(faults);
        }
        catch (TimeoutException)
        {
            return Problem.Of(
                StatusCodes.Status503ServiceUnavailable,
                $"{plugin.Name} is busy with something else; nothing was changed. Try again."
            );
        }
    }

    private static ProblemHttpResult NotLoaded(HostedPlugin plugin) =>
        Problem.Of(StatusCodes.Status503ServiceUnavailable, $"{plugin.Name}: {plugin.Detail}");
}
