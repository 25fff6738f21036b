namespace AgentlessDatadog.Sandbox.Schemas;

/// <summary>Why a value is not what a schema says: the place within it, empty for the whole, and what is wrong there.</summary>
internal sealed record SchemaError(string Path, string Message)
{
    /// <summary>The place is said where it is not the value itself.</summary>
    public override string ToString() => Path.Length == 0 ? Message : $"{Message} at {Path}";
}
