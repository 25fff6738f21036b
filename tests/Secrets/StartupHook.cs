using Secrets;

/// <summary>
/// What the runtime calls in a process before its program, when <c>DOTNET_STARTUP_HOOKS</c> names this assembly: all
/// that is heard there goes to a file. The name, and that it has no namespace, are the runtime's.
/// </summary>
#pragma warning disable CA1050 // Declare types in namespaces
public static class StartupHook
#pragma warning restore CA1050
{
    /// <summary>The variable that names the file.</summary>
    public const string Variable = "TEST_HEARD_FILE";

    /// <summary>Begins to hear.</summary>
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } path)
        {
            new Ear(new HeardFile(path).Write).Open();
        }
    }
}
