using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Web;

/// <summary>The page, and the sign-in of the browser that looks at it.</summary>
internal static class PageApi
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> Types = new()
    {
        ["index.html"] = "text/html; charset=utf-8",
        ["page.css"] = "text/css; charset=utf-8",
        ["page.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
    };

    public static void MapPage(this IEndpointRouteBuilder routes)
    {
        var publicUrl = routes.ServiceProvider.GetRequiredService<HostSettings>().PublicUrl;
        var tokens = routes.ServiceProvider.GetRequiredService<AccessTokens>();
        var codes = routes.ServiceProvider.GetRequiredService<SignInCodes>();
        var page = routes.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        foreach (var file in Types.Keys)
        {
            var content = Read(file);
            page.MapGet(file is "index.html" ? "/" : $"/{file}", (HttpContext http) => Show(http, file, content));
        }
        var index = Read("index.html");
        page.MapGet(
            "/sign-in",
            IResult (HttpContext http, string? code, FailedSignIns failed) =>
            {
                if (code is not null && codes.Redeem(code))
                {
                    AccessRules.Remember(http, tokens, publicUrl);
                }
                else if (!AccessRules.IsSignedIn(http.Request, tokens))
                {
                    if (code is not null && failed.Count(http) is { } slower)
                    {
                        return slower;
                    }
                    // A person looks at this: the page says why it is closed, and what opens it.
                    return Show(http, "index.html", index, StatusCodes.Status403Forbidden);
                }
                // Seen from where the browser is: a proxy may have taken a prefix away.
                return TypedResults.Redirect("./");
            }
        );
        page.MapPost(
            "/sign-out",
            async (HttpContext http) =>
            {
                await AccessRules.SignOutAsync(http, tokens, publicUrl);
                return TypedResults.NoContent();
            }
        );
        routes
            .MapPost("/api/sign-in-link", (HttpContext http) => TypedResults.Ok(NewLink(http, publicUrl, codes)))
            .WithTags("Host")
            .WithSummary("A new link that signs a browser in, once, within ten minutes")
            .WithDescription("The link before it, if nobody has used it, ends.")
            .Produces<JsonObject>();
    }

    private static JsonObject NewLink(HttpContext http, Uri? publicUrl, SignInCodes codes)
    {
        var (scheme, host, pathBase) = (http.Request.Scheme, http.Request.Host, http.Request.PathBase);
        return new()
        {
            ["link"] = $"{publicUrl ?? new Uri($"{scheme}://{host}{pathBase}/")}sign-in?code={codes.Issue()}",
        };
    }

    private static FileContentHttpResult Show(
        HttpContext http,
        string file,
        byte[] content,
        int status = StatusCodes.Status200OK
    )
    {
        http.Response.StatusCode = status;
        http.Response.Headers.ContentSecurityPolicy = Policy;
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        http.Response.Headers.CacheControl = status == StatusCodes.Status200OK ? "no-cache" : "no-store";
        return TypedResults.Bytes(content, Types[file]);
    }

    private static byte[] Read(string file)
    {
        using var resource = typeof(PageApi).Assembly.GetManifestResourceStream($"Page/{file}")!;
        using var content = new MemoryStream();
        resource.CopyTo(content);
        return content.ToArray();
    }
}
