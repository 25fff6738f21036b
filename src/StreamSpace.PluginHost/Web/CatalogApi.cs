using System.Globalization;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.SignIn;

namespace StreamSpace.PluginHost.Web;

/// <summary>What can be installed, and the doing of it.</summary>
internal static class CatalogApi
{
    // A catalogue of 5 MB can hold errors by the hundred thousand: the first are named, the rest counted.
    private const int NamedErrors = 100;

    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        var plugins = routes.ServiceProvider.GetRequiredService<PluginSet>();
        var catalog = routes.ServiceProvider.GetRequiredService<PluginCatalog>();
        var installer = routes.ServiceProvider.GetRequiredService<PluginInstaller>();
        var uninstaller = routes.ServiceProvider.GetRequiredService<PluginUninstaller>();
        var group = routes.MapGroup("/api/plugins").WithTags("Plugins");
        group
            .MapGet(
                "/catalog",
                (string? search, CancellationToken token) => OfferAsync(plugins, catalog, search ?? "", token)
            )
            .RequireAuthorization(AccessRules.ForOperators)
            .WithSummary("What can be installed")
            .WithDescription(
                "Needs the role operator or admin, for it fetches what CATALOG_URL names. search looks in name, description and tags. The catalogue is what CATALOG_URL names. An entry that cannot be offered is among the refused, with its place and the reason."
            )
            .Produces<JsonObject>()
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status502BadGateway);
        group
            .MapPost("/catalog/{name}/install", (string name) => InstallAsync(installer, catalog, name))
            .WithSummary("Install a plugin, or update it")
            .WithDescription("The checksum is verified first. An update keeps config, switch and data.")
            .Produces<JsonObject>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status502BadGateway);
        group
            .MapDelete("/{name}", (string name, string? discard) => UninstallAsync(uninstaller, plugins, name, discard))
            .WithSummary("Uninstall a plugin: its folder, its data, its config")
            .WithDescription(
                "It first sends what it can. 409 when something is left that it has not delivered, with how many of what, or when that cannot be known: it stays then, unless discard=true. What is discarded so is told in the log."
            )
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static Task<IResult> OfferAsync(
        PluginSet plugins,
        PluginCatalog catalog,
        string search,
        CancellationToken cancellationToken
    ) =>
        WithCatalogAsync(
            catalog,
            async () =>
            {
                var (entries, refused) = await catalog.ReadAsync(cancellationToken);
                var found = entries.Where(e => e.Matches(search)).ToList();
                return TypedResults.Ok(
                    new JsonObject
                    {
                        ["plugins"] = new JsonArray([.. found.Select(e => (JsonNode)Of(e, plugins.Find(e.Name)))]),
                        ["total"] = found.Count,
                        ["refused"] = new JsonArray([.. refused.Take(NamedErrors).Select(Of)]),
                        ["refusedCount"] = refused.Count,
                    }
                );
            }
        );

    private static Task<IResult> InstallAsync(PluginInstaller installer, PluginCatalog catalog, string name) =>
        WithCatalogAsync(
            catalog,
            async () =>
            {
                var (entries, refused) = await catalog.ReadAsync(CancellationToken.None);
                if (entries.LastOrDefault(e => e.Name == name) is not { } entry)
                {
                    var others = refused is [var (index, reason), ..]
                        ? string.Create(
                            CultureInfo.InvariantCulture,
                            $" {refused.Count} of its entries cannot be offered: entry {index}: {reason}."
                        )
                        : "";
                    return Problem.Of(StatusCodes.Status404NotFound, $"The catalogue offers no plugin {name}.{others}");
                }
                // Not the request's token: a caller who hangs up must not leave a plugin half installed.
                var plugin = await installer.InstallAsync(entry, CancellationToken.None);
                return TypedResults.Json(PluginStatus.Summary(plugin), statusCode: StatusCodes.Status201Created);
            }
        );

    private static async Task<IResult> UninstallAsync(
        PluginUninstaller uninstaller,
        PluginSet plugins,
        string name,
        string? discard
    )
    {
        if (discard is not (null or "true" or "false"))
        {
            return Problem.Of(StatusCodes.Status400BadRequest, "discard is true or false.");
        }
        if (plugins.Find(name) is not { } plugin)
        {
            return Problem.Of(
                StatusCodes.Status404NotFound,
                $"There is no plugin {name}; GET /api/plugins lists what there is."
            );
        }
        await uninstaller.UninstallAsync(plugin, discard is "true", CancellationToken.None);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> WithCatalogAsync(PluginCatalog catalog, Func<Task<IResult>> work)
    {
        if (!catalog.IsSet)
        {
            return Problem.Of(
                StatusCodes.Status404NotFound,
                "There is no catalogue: set CATALOG_URL to a folder or an address that holds a catalog.json."
            );
        }
        try
        {
            return await work();
        }
        catch (CatalogException e)
        {
            return Problem.Of(StatusCodes.Status502BadGateway, e.Message);
        }
        catch (PackageException e)
        {
            return Problem.Of(StatusCodes.Status422UnprocessableEntity, e.Message);
        }
    }

    private static JsonNode Of((int Index, string Reason) refused) =>
        new JsonObject { ["index"] = refused.Index, ["reason"] = refused.Reason };

    private static JsonObject Of(CatalogEntry entry, PluginSlot? installed) =>
        new()
        {
            ["name"] = entry.Name,
            ["version"] = entry.Version,
            ["displayName"] = entry.DisplayName,
            ["description"] = entry.Description,
            ["category"] = entry.Category,
            ["tags"] = new JsonArray([.. entry.Tags.Select(t => (JsonNode)t)]),
            ["installedVersion"] = installed?.Manifest?.Version,
        };
}
