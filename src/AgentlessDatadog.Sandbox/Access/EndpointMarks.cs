namespace AgentlessDatadog.Sandbox.Access;

/// <summary>What a request needs to be let in to an endpoint, where method and path do not say it.</summary>
internal static class EndpointMarks
{
    private sealed record Mark(bool IsIntake);

    /// <summary>A key alone opens it: intake and key check.</summary>
    public static TBuilder AllowAtIntake<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Mark(IsIntake: true));

    /// <summary>It changes nothing though it is a POST: who may read may ask.</summary>
    public static TBuilder OnlyReads<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Mark(IsIntake: false));

    public static bool IsIntake(HttpContext context) => MarkOf(context) is { IsIntake: true };

    public static bool IsReading(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        || HttpMethods.IsHead(context.Request.Method)
        || MarkOf(context) is { IsIntake: false };

    private static Mark? MarkOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<Mark>();
}
