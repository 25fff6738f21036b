using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>The OpenAPI document: what endpoints say of themselves, and what holds for all of them.</summary>
internal static class ApiDescription
{
    private const string Document = "v1";
    private const string Bearer = "bearer";
    private const string ProblemJson = "application/problem+json";

    /// <summary>Maps the document, which is made once for each version of the plugins' endpoints.</summary>
    public static void MapApiDescription(this IEndpointRouteBuilder routes)
    {
        var endpoints = routes.ServiceProvider.GetRequiredService<PluginEndpoints>();
        Task<(int Version, byte[] Json)>? made = null;
        routes
            .MapGet(
                "/openapi/v1.json",
                async (HttpContext http) =>
                {
                    if (made is not { IsFaulted: false } || (await made).Version != endpoints.Version)
                    {
                        made = MakeAsync(http.RequestServices, http.Request.PathBase, endpoints.Version);
                    }
                    return TypedResults.Bytes((await made).Json, "application/json;charset=utf-8");
                }
            )
            .AllowAnonymous()
            .ExcludeFromDescription();
    }

    // By services of its own, which go afterwards: they keep all that they ever described, and with it every plugin that
    // was ever loaded.
    private static async Task<(int Version, byte[] Json)> MakeAsync(
        IServiceProvider services,
        PathString pathBase,
        int version
    )
    {
        var describing = new ServiceCollection()
            .AddLogging()
            .AddRouting()
            .AddSingleton(services.GetRequiredService<EndpointDataSource>())
            .AddSingleton(services.GetRequiredService<IHostEnvironment>())
            .AddSingleton(services.GetRequiredService<IOptions<JsonOptions>>());
        describing.AddApiDescription();
        await using var described = describing.BuildServiceProvider();
        var document = await described
            .GetRequiredKeyedService<IOpenApiDocumentProvider>(Document)
            .GetOpenApiDocumentAsync(CancellationToken.None);
        document.Servers = [new OpenApiServer { Url = pathBase.HasValue ? pathBase.Value : "/" }];
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1);
        return (version, json.ToArray());
    }

    private static void AddApiDescription(this IServiceCollection services) =>
        services.AddOpenApi(
            Document,
            options =>
            {
                options.AddDocumentTransformer(
                    (document, _, _) =>
                    {
                        document.Info = new OpenApiInfo
                        {
                            Title = "StreamSpace plugin host",
                            Version = HostStatus.Version,
                            Description =
                                "Errors are application/problem+json. Write calls need the role admin or operator.",
                        };
                        document.Components ??= new OpenApiComponents();
                        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
                        document.Components.SecuritySchemes[Bearer] = new OpenApiSecurityScheme
                        {
                            Type = SecuritySchemeType.Http,
                            Scheme = Bearer,
                            BearerFormat = "JWT",
                            Description = "A StreamSpace token (HS256), or one that the command \"token\" prints.",
                        };
                        return Task.CompletedTask;
                    }
                );
                options.AddOperationTransformer(
                    (operation, context, _) =>
                    {
                        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
                        if (!metadata.OfType<IAllowAnonymous>().Any())
                        {
                            Guard(operation, context);
                        }
                        operation.Responses ??= [];
                        if (metadata.OfType<PluginEndpoint>().Any())
                        {
                            operation.Responses.TryAdd("504", Answer("The plugin did not answer in time."));
                        }
                        if (
                            context.Description.RelativePath?.StartsWith("api/plugins", StringComparison.Ordinal)
                            is true
                        )
                        {
                            operation.Responses.TryAdd("503", Answer("It is on its way, or not able now: call again."));
                        }
                        if (operation.Responses.GetValueOrDefault("503") is OpenApiResponse later)
                        {
                            later.Headers ??= new Dictionary<string, IOpenApiHeader>();
                            later.Headers["Retry-After"] = new OpenApiHeader
                            {
                                Description = "Seconds after which the same call may be good.",
                                Schema = new OpenApiSchema { Type = JsonSchemaType.Integer },
                            };
                        }
                        if (metadata.OfType<RequestExample>().LastOrDefault() is { } example)
                        {
                            foreach (var body in operation.RequestBody?.Content?.Values ?? [])
                            {
                                body.Example = JsonNode.Parse(example.Json);
                            }
                        }
                        Exemplify(operation);
                        return Task.CompletedTask;
                    }
                );
            }
        );

    private static void Guard(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        operation.Security ??= [];
        operation.Security.Add(
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }
        );
        operation.Responses ??= [];
        operation.Responses.TryAdd("401", Answer("No token, or one that is not good."));
        if (context.Description.HttpMethod is not ("GET" or "HEAD"))
        {
            operation.Responses.TryAdd("403", Answer("The token's role may only read."));
        }
    }

    private static OpenApiResponse Answer(string description) =>
        new()
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType> { [ProblemJson] = new() },
        };

    private static void Exemplify(OpenApiOperation operation)
    {
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (
                int.TryParse(status, out var code)
                && response.Content?.TryGetValue(ProblemJson, out var media) == true
                && media is { } problem
            )
            {
                problem.Example ??= new JsonObject
                {
                    ["type"] = $"https://tools.ietf.org/html/rfc9110#section-15.{code / 100}",
                    ["title"] = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(code),
                    ["status"] = code,
                    ["detail"] = response.Description,
                };
            }
        }
    }
}
