namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>A path, or the beginning of one followed by <c>*</c>; empty matches all.</summary>
internal readonly record struct PathPattern(string Text)
{
    /// <summary>True for Datadog's paths, OTLP's among them: these are recorded, and faults strike there.</summary>
    public static bool IsApi(string path) =>
        path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/v1/", StringComparison.Ordinal);

    public bool Matches(string path) =>
        Text.Length == 0
        || (
            Text.EndsWith('*')
                ? path.AsSpan().StartsWith(Text.AsSpan(0, Text.Length - 1), StringComparison.Ordinal)
                : path == Text
        );
}
