using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>The OpenAPI document: what endpoints say of themselves, and what holds for all of them.</summary>
internal static class ApiDescription
{
    private const string Bearer = "bearer";
    private const string ProblemJson = "application/problem+json";

    public static void AddApiDescription(this IServiceCollection services) =>
        services.AddOpenApi(
            "v1",
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
                        if (metadata.Contains(PluginCallLimit.Mark))
                        {
                            operation.Responses ??= [];
                            operation.Responses.TryAdd("504", Answer("The plugin did not answer in time."));
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

    public static void MapApiDescription(this IEndpointRouteBuilder routes) =>
        routes.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();

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
