using System.Collections;

namespace StreamSpace.PluginHost;

/// <summary>What the command line and the environment say.</summary>
internal sealed record HostSettings
{
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8090"];

    /// <summary>Empty: no sandbox.</summary>
    public IReadOnlyList<string> SandboxUrls { get; init; } = ["http://127.0.0.1:8091"];

    /// <summary>Empty, or begins with a slash and does not end with one.</summary>
    public string PathBase { get; init; } = "";

    public string DataFolder { get; init; } = "./data";

    public string PluginsFolder { get; init; } = Path.Combine(AppContext.BaseDirectory, "plugins");

    /// <summary>
    /// Where StreamSpace's operators look for plugin logs, or what systemd gives for them (<c>LogsDirectory=</c>); the data
    /// folder takes its place where it cannot be written.
    /// </summary>
    public string LogFolder { get; init; } =
        System.Environment.GetEnvironmentVariable("LOGS_DIRECTORY") is { Length: > 0 } folders
            ? folders.Split(':')[0]
            : "/var/log/streamspace/plugins";

    /// <summary>How long a plugin may take over one call before it is isolated.</summary>
    public TimeSpan CallLimit { get; init; } = TimeSpan.FromSeconds(30);

    public IReadOnlyDictionary<string, string> Environment { get; init; } = ReadEnvironment();

    private static Dictionary<string, string> ReadEnvironment() =>
        System
            .Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
}
