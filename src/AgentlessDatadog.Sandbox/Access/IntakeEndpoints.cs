namespace AgentlessDatadog.Sandbox.Access;

/// <summary>Marks the endpoints that a key alone opens: intake and key check. All others stand behind the gate.</summary>
internal static class IntakeEndpoints
{
    private sealed class Mark;

    public static TBuilder AllowAtIntake<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Mark());

    public static bool IsIntake(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not null;
}
