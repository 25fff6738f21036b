using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>The list of plugins, and the switch of each.</summary>
internal static class PluginListApi
{
    public static void MapPluginList(this IEndpointRouteBuilder routes)
    {
        var plugins = routes.ServiceProvider.GetRequiredService<PluginSet>();
        var lifecycle = routes.ServiceProvider.GetRequiredService<PluginLifecycle>();
        var group = routes.MapGroup("/api/plugins").WithTags("Plugins");
        group
            .MapGet("", (HttpContext http) => TypedResults.Ok(VisibleStatus.To(http.User, List(plugins))))
            .WithSummary("The plugins, and how each stands")
            .Produces<JsonObject>();
        Map("enable", on: true, "Load a plugin and let it hear; survives a restart");
        Map("disable", on: false, "Let a plugin go, after it has sent what it can; what it has kept stays");
        group
            .MapPost("/{name}/reload", (string name) => ReloadAsync(plugins, lifecycle, name))
            .WithSummary("Load a plugin anew from its folder, also one that was isolated")
            .WithDescription(
                "What happens on the platform meanwhile waits, and is for the new copy. Calls to the plugin get 503 meanwhile. "
                    + "503 here: the new copy was isolated as well, and is tried again by itself."
            )
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        group
            .MapPatch("/{name}", (string name, HttpRequest request) => PatchAsync(plugins, lifecycle, name, request))
            .WithSummary("Switch a plugin, change its config, or both")
            .WithDescription(
                "enabled and config are both optional; config is laid over what is kept, as with PUT, and warnings say the same."
            )
            .Accepts<JsonObject>("application/json")
            .WithMetadata(new RequestExample("""{"enabled":true,"config":{"metricsInterval":30}}"""))
            .Produces<JsonObject>()
            .Produces<ConfigProblem>(StatusCodes.Status400BadRequest, "application/problem+json")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

        void Map(string verb, bool on, string summary) =>
            group
                .MapPost($"/{{name}}/{verb}", (string name) => SwitchAsync(plugins, lifecycle, name, on, []))
                .WithSummary(summary)
                .WithDescription(
                    "warnings say so where StreamSpace's row, or the config, holds the plugin as something else."
                )
                .Produces<JsonObject>()
                .ProducesProblem(StatusCodes.Status404NotFound)
                .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static JsonObject List(PluginSet plugins) =>
        new()
        {
            ["plugins"] = new JsonArray([.. plugins.All.Select(p => (JsonNode)PluginStatus.Summary(p))]),
            ["total"] = plugins.All.Count,
        };

    private static async Task<IResult> SwitchAsync(
        PluginSet plugins,
        PluginLifecycle lifecycle,
        string name,
        bool on,
        JsonObject config
    )
    {
        if (plugins.Find(name) is not { } plugin)
        {
            return NotFound(name);
        }
        if (plugin.Manifest is null)
        {
            return Problem.Of(StatusCodes.Status409Conflict, $"{plugin.Name}: {plugin.State.Detail}");
        }
        // Not the request's token: a caller who hangs up must not leave a plugin half loaded.
        if (!on)
        {
            await lifecycle.DisableAsync(plugin, CancellationToken.None);
            return TypedResults.Ok(PluginStatus.Summary(plugin).Warn(RowBelow(plugin)));
        }
        await lifecycle.EnableAsync(plugin, CancellationToken.None);
        return Outcome(plugin, PluginConfig.Over(config, new JsonObject { ["enabled"] = true }));
    }

    private static async Task<IResult> ReloadAsync(PluginSet plugins, PluginLifecycle lifecycle, string name)
    {
        if (plugins.Find(name) is not { } plugin)
        {
            return NotFound(name);
        }
        // Not the request's token: a caller who hangs up must not leave a plugin half loaded.
        await lifecycle.ReloadAsync(plugin, CancellationToken.None);
        return Outcome(plugin, []);
    }

    // What is in its folder is for the operator to mend; a plugin that does not come back is tried again.
    private static IResult Outcome(PluginSlot plugin, JsonObject change) =>
        plugin.State.Phase switch
        {
            PluginPhase.Failed => Problem.Of(StatusCodes.Status409Conflict, $"{plugin.Name}: {plugin.State.Detail}"),
            PluginPhase.Isolated => Problem.Of(
                StatusCodes.Status503ServiceUnavailable,
                $"{plugin.Name}: {plugin.State.Detail}"
            ),
            _ => TypedResults.Ok(PluginStatus.Summary(plugin).Warn(plugin, change)),
        };

    // Switched off here wins over what StreamSpace's page shows.
    private static string[] RowBelow(PluginSlot plugin) =>
        plugin.Configurator!.Config.Row switch
        {
            { IsGone: false, SwitchesOff: true } =>
            [
                "StreamSpace's row switches it off as well: once it is enabled here, switch it on there too, on StreamSpace's page, Admin → Plugins.",
            ],
            { IsGone: false } =>
            [
                "StreamSpace's page, Admin → Plugins, goes on showing it as enabled, and has no say until it is enabled here.",
            ],
            _ => [],
        };

    private static async Task<IResult> PatchAsync(
        PluginSet plugins,
        PluginLifecycle lifecycle,
        string name,
        HttpRequest request
    )
    {
        var (body, refusal) = await RequestJson.ReadObjectAsync(request);
        if (body is null)
        {
            return refusal!;
        }
        if (plugins.Find(name) is not { } plugin)
        {
            return NotFound(name);
        }
        if (Errors(body) is { Count: > 0 } errors)
        {
            return Problem.Of(errors);
        }
        // First what may be refused: with an error in it nothing changes.
        var config = body["config"] as JsonObject ?? [];
        if (body.ContainsKey("config"))
        {
            ConfigAnswer.RemoveShown(config);
            if (plugin.Manifest is null)
            {
                return Problem.Of(StatusCodes.Status409Conflict, $"{plugin.Name}: {plugin.State.Detail}");
            }
            var found = await plugin.Configurator!.ChangeAsync(config, ifMatch: null, CancellationToken.None);
            if (found is { Count: > 0 })
            {
                return Problem.Of(found);
            }
        }
        if (body["enabled"] is { } enabled)
        {
            return await SwitchAsync(plugins, lifecycle, name, enabled.GetValue<bool>(), config);
        }
        return TypedResults.Ok(PluginStatus.Summary(plugin).Warn(plugin, config));
    }

    private static List<ConfigError> Errors(JsonObject body)
    {
        var errors = new List<ConfigError>();
        foreach (var (key, value) in body)
        {
            var right = key switch
            {
                "enabled" => value is JsonValue flag && flag.TryGetValue(out bool _) ? null : "must be true or false.",
                "config" => value is JsonObject ? null : "must be an object.",
                _ => "is not a known key; there are enabled and config.",
            };
            if (right is not null)
            {
                errors.Add(new(key, right));
            }
        }
        return errors;
    }

    private static ProblemHttpResult NotFound(string name) =>
        Problem.Of(StatusCodes.Status404NotFound, $"There is no plugin {name}; GET /api/plugins lists what there is.");
}
