using System.Security.Claims;
using AgentlessDatadog.Sandbox.Access;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Web;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>
/// Who may do what: reading needs any good token, every other method the role admin or operator. A token comes in
/// the Authorization header, or, for reading only, in the cookie that the sign-in link sets: no other site can
/// make a browser write anything.
/// </summary>
internal static class AccessRules
{
    /// <summary>The policy of what only those may call, also by reading, who see paths and addresses.</summary>
    public const string ForOperators = "operators";

    /// <summary>The policy of an endpoint that also takes a body that StreamSpace signed.</summary>
    public const string OrSigned = "or-signed";

    private const string Cookie = "streamspace-plugin-host";
    private const string HowToGetAToken = "Send \"Authorization: Bearer <token>\"; the command \"token\" prints one.";

    private static readonly TimeSpan Stay = TimeSpan.FromHours(12);

    public static IServiceCollection AddSignIn(this IServiceCollection services)
    {
        services
            .AddSingleton(provider =>
                AccessTokens.Of(
                    provider.GetRequiredService<HostSettings>().Environment,
                    provider.GetRequiredService<DataFolder>().Path,
                    provider.GetRequiredService<TimeProvider>()
                )
            )
            .AddSingleton(provider => new WebhookSignature(provider.GetRequiredService<HostSettings>().Environment))
            .AddSingleton<SignInCodes>()
            .AddSingleton<FailedSignIns>();
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        services
            .AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<AccessTokens>(
                (bearer, tokens) =>
                {
                    bearer.TokenHandlers.Clear();
                    bearer.TokenHandlers.Add(tokens);
                    bearer.Events = new JwtBearerEvents
                    {
                        OnMessageReceived = context =>
                        {
                            context.Token = CookieFor(context.Request);
                            return Task.CompletedTask;
                        },
                        OnChallenge = ChallengeAsync,
                        OnForbidden = context =>
                            Problem
                                .Of(
                                    StatusCodes.Status403Forbidden,
                                    $"The role \"{RoleOf(context.HttpContext.User)}\" may {(IsReading(context.Request) ? "not see this" : "only read")}; this needs {Roles.Operator} or {Roles.Admin}."
                                )
                                .ExecuteAsync(context.HttpContext),
                    };
                }
            );
        var caller = new AuthorizationPolicyBuilder()
            .RequireAuthenticatedUser()
            .RequireAssertion(context =>
                (context.Resource is HttpContext http && IsReading(http.Request)) || MayWrite(context.User)
            )
            .Build();
        var seeing = new AuthorizationPolicyBuilder(caller).RequireAssertion(context => SeesAll(context.User)).Build();
        services
            .AddAuthorizationBuilder()
            .SetDefaultPolicy(caller)
            .SetFallbackPolicy(caller)
            .AddPolicy(ForOperators, seeing)
            .AddPolicy(
                OrSigned,
                // The signature itself is of the body, which is not read for anybody who could not have signed it.
                policy =>
                    policy.RequireAssertion(context =>
                        MayWrite(context.User)
                        || (
                            context.Resource is HttpContext http
                            && WebhookSignature.IsGiven(http.Request)
                            && http.RequestServices.GetRequiredService<WebhookSignature>().RequestError(http.Request)
                                is null
                        )
                    )
            );
        return services;
    }

    /// <summary>Sets the cookie of a browser that showed a good code.</summary>
    /// <param name="http">The browser's request.</param>
    /// <param name="tokens">Makes what is in the cookie.</param>
    /// <param name="publicUrl">Where browsers reach us, or null: just where we listen.</param>
    public static void Remember(HttpContext http, AccessTokens tokens, Uri? publicUrl)
    {
        // All that a cookie can do is read; so that is all its token is good for.
        var options = CookieOf(http, publicUrl);
        options.MaxAge = Stay;
        http.Response.Cookies.Append(Cookie, tokens.Issue(Roles.Viewer, Stay), options);
    }

    /// <summary>Takes the cookie away, and ends the token in it: a copy of it is worth nothing any more.</summary>
    /// <exception cref="IOException">It has ended, but a restart will not know of it.</exception>
    /// <exception cref="UnauthorizedAccessException"><inheritdoc cref="IOException"/></exception>
    public static async Task SignOutAsync(HttpContext http, AccessTokens tokens, Uri? publicUrl)
    {
        http.Response.Cookies.Delete(Cookie, CookieOf(http, publicUrl));
        if (http.Request.Cookies[Cookie] is { } token)
        {
            await tokens.EndAsync(token);
        }
    }

    /// <summary>True for whom paths, addresses and errors are meant.</summary>
    public static bool SeesAll(ClaimsPrincipal user) => Array.Exists(Roles.Seeing, user.IsInRole);

    /// <summary>What the request's token lets its caller do in the sandbox, which has no pipeline of ours.</summary>
    public static SandboxAccess AccessOf(HttpRequest request, AccessTokens tokens) =>
        TokenOf(request) is not { } token || tokens.Read(token) is not { } user ? SandboxAccess.None
        : MayWrite(user) ? SandboxAccess.Write
        : SandboxAccess.Read;

    /// <summary>True when the request carries a good token for reading.</summary>
    public static bool IsSignedIn(HttpRequest request, AccessTokens tokens) =>
        TokenOf(request) is { } token && tokens.Read(token) is not null;

    private static string? TokenOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.Ordinal) ? header["Bearer ".Length..] : CookieFor(request);
    }

    // A proxy that ends TLS speaks plain http to us: only the public address tells that browsers do not.
    private static CookieOptions CookieOf(HttpContext http, Uri? publicUrl) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = http.Request.IsHttps || publicUrl?.Scheme == Uri.UriSchemeHttps,
            Path = (publicUrl?.AbsolutePath ?? $"{http.Request.PathBase}").TrimEnd('/') is { Length: > 0 } path
                ? path
                : "/",
            IsEssential = true,
        };

    private static bool MayWrite(ClaimsPrincipal user) => Array.Exists(Roles.Writing, user.IsInRole);

    private static string? RoleOf(ClaimsPrincipal user) =>
        user.Identity is ClaimsIdentity identity ? identity.FindFirst(identity.RoleClaimType)?.Value : null;

    private static string? CookieFor(HttpRequest request) =>
        IsReading(request) && !request.Headers.ContainsKey("Authorization") ? request.Cookies[Cookie] : null;

    private static bool IsReading(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private static Task ChallengeAsync(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        var http = context.HttpContext;
        var given = context.AuthenticateFailure is not null;
        var signed = SignatureError(http);
        if (
            (given || signed is not null)
            && http.RequestServices.GetRequiredService<FailedSignIns>().Count(http) is { } slower
        )
        {
            return slower.ExecuteAsync(http);
        }
        context.Response.Headers.WWWAuthenticate = given ? "Bearer error=\"invalid_token\"" : "Bearer";
        return Problem
            .Of(
                StatusCodes.Status401Unauthorized,
                signed
                    ?? (
                        given
                            ? $"The token is not good: {AccessTokens.Why(context.AuthenticateFailure!)} {HowToGetAToken}"
                            : $"No token was sent. {HowToGetAToken}"
                    )
            )
            .ExecuteAsync(http);
    }

    private static string? SignatureError(HttpContext http) =>
        WebhookSignature.IsGiven(http.Request)
        && http.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy is OrSigned
            ? http.RequestServices.GetRequiredService<WebhookSignature>().RequestError(http.Request)
            : null;
}
