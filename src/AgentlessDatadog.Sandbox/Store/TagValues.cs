namespace AgentlessDatadog.Sandbox.Store;

/// <summary>The values that tags have under a key.</summary>
internal static class TagValues
{
    /// <summary>In the order of the tags; keys are compared in whatever case.</summary>
    public static IEnumerable<string> Of(IEnumerable<string> tags, string key) =>
        tags.Where(tag =>
                tag.Length > key.Length
                && tag[key.Length] == ':'
                && tag.StartsWith(key, StringComparison.OrdinalIgnoreCase)
            )
            .Select(tag => tag[(key.Length + 1)..]);
}
