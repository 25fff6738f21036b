namespace StreamSpace.Datadog.Config;

/// <summary>
/// The files that <c>DD_API_KEY_FILE</c> and <c>DD_APP_KEY_FILE</c> name. Whoever rotates a key writes a file anew, by
/// way of links as Kubernetes does: so what counts is what is in it.
/// </summary>
internal sealed class KeyFiles(IReadOnlyDictionary<string, string> environment)
{
    private readonly List<string> _paths =
    [
        .. new[] { "DD_API_KEY", "DD_APP_KEY" }
            .Where(name => !environment.ContainsKey(name))
            .Select(name => environment.GetValueOrDefault($"{name}_FILE"))
            .OfType<string>(),
    ];
    private string _held = "";
    private string _taken = "";

    /// <summary>Whether there is a file to look at.</summary>
    public bool Any => _paths.Count > 0;

    /// <summary>True when the files hold something else than was taken last; one that cannot be read holds nothing.</summary>
    public bool Changed()
    {
        _held = string.Join('\n', _paths.Select(Read));
        return _held != _taken;
    }

    /// <summary>What the last look saw has been taken, or refused for good.</summary>
    public void Taken() => _taken = _held;

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
