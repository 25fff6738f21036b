namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Endpoints that are read: <c>HEAD</c> is answered wherever <c>GET</c> is.</summary>
internal static class ReadEndpoints
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointConventionBuilder MapRead(
        this IEndpointRouteBuilder routes,
        string pattern,
        RequestDelegate answer
    ) => routes.MapMethods(pattern, Methods, answer);
}
