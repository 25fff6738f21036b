using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// The files that <c>DD_API_KEY_FILE</c> and <c>DD_APP_KEY_FILE</c> name. Whoever rotates a key writes a file anew, by
/// way of links as Kubernetes does: so what counts is what is in it. The last good key stays while there is none.
/// </summary>
internal sealed class KeyFiles(IReadOnlyDictionary<string, string> environment)
{
    private string _acknowledged = "";

    /// <summary>The file of the API key, or null when none is named, or when the environment holds the key itself.</summary>
    public KeyFile? Api { get; } = Named(environment, "DD_API_KEY");

    /// <summary>The file of the application key, or null in the same way.</summary>
    public KeyFile? App { get; } = Named(environment, "DD_APP_KEY");

    /// <summary>Whether there is a file to look at.</summary>
    public bool Any => Api is not null || App is not null;

    private string Held => $"{Api?.Key}\n{App?.Key}";

    /// <summary>Looks at the files.</summary>
    public void Look()
    {
        Api?.Look();
        App?.Look();
    }

    /// <summary>Looks, and is true when there are other keys than were taken last.</summary>
    public bool Changed()
    {
        Look();
        return Held != _acknowledged;
    }

    /// <summary>What the last look saw has been taken, or refused for good.</summary>
    public void Acknowledge() => _acknowledged = Held;

    private static KeyFile? Named(IReadOnlyDictionary<string, string> environment, string name) =>
        !environment.ContainsKey(name) && environment.GetValueOrDefault($"{name}_FILE") is { } path
            ? new KeyFile($"{name}_FILE", path)
            : null;
}

/// <summary>One file that holds a key and nothing else.</summary>
internal sealed class KeyFile(string variable, string path)
{
    // More than any key needs, and little enough to read again and again.
    private const int Most = 4096;

    /// <summary>The variable that names it.</summary>
    public string Variable => variable;

    /// <summary>The last good key that was read, or null before the first.</summary>
    public string? Key { get; private set; }

    /// <summary>Why there is no key in it now, in a sentence; null while there is one.</summary>
    public string? Error { get; private set; }

    /// <summary>Reads it.</summary>
    public void Look()
    {
        try
        {
            var text = Read().Trim();
            Error =
                text.Length == 0 ? "The file is empty."
                : EnvironmentVariables.IsQuoted(text) ? "The key in the file stands in quotation marks: leave them out."
                : !ValueRules.IsKey(text) ? "The file holds something else than one key."
                : null;
            Key = Error is null ? text : Key;
        }
        // Whoever may ask for the status need not know where on this machine the file lies.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Error = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "There is no such file.",
                UnauthorizedAccessException => "The file may not be read.",
                _ => "The file cannot be read.",
            };
        }
    }

    private string Read()
    {
        using var file = new StreamReader(path);
        var buffer = new char[Most];
        return new string(buffer, 0, file.ReadBlock(buffer));
    }
}
