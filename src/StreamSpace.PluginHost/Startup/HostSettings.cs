using StreamSpace.PluginHost.SignIn;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Startup;

/// <summary>What the command line and the environment say.</summary>
internal sealed record HostSettings
{
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8090"];

    /// <summary>Empty: no sandbox.</summary>
    public IReadOnlyList<string> SandboxUrls { get; init; } = ["http://127.0.0.1:8091"];

    /// <summary>Empty, or begins with a slash and does not end with one.</summary>
    public string PathBase { get; init; } = "";

    /// <summary>Where browsers reach us, its path ending with a slash, or null: just where we listen.</summary>
    public Uri? PublicUrl { get; init; }

    public string DataFolder { get; init; } = "./data";

    public string PluginsFolder { get; init; } = Path.Combine(AppContext.BaseDirectory, "plugins");

    /// <summary>
    /// Where StreamSpace's operators look for plugin logs, or what systemd gives for them (<c>LogsDirectory=</c>); the data
    /// folder takes its place where it cannot be written.
    /// </summary>
    public string LogFolder
    {
        get =>
            field ?? Environment.GetValueOrDefault("LOGS_DIRECTORY")?.Split(':')[0] ?? "/var/log/streamspace/plugins";
        init;
    }

    /// <summary>How long a plugin may take over one call before it is isolated.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The environment variables, as <see cref="EnvironmentVariables"/> reads them: for plugins, too.</summary>
    public IReadOnlyDictionary<string, string> Environment
    {
        get;
        init => field = EnvironmentVariables.Read(value);
    } = EnvironmentVariables.OfProcess();

    /// <summary>A warning for each variable of the host's own that was hardly meant as it stands.</summary>
    public IReadOnlyList<CheckFinding> EnvironmentWarnings =>
        [
            .. ClearText.Warnings(Environment),
            .. EnvironmentVariables.InQuotes(
                Environment,
                [
                    "KUBECONFIG",
                    "KUBELET_CA_FILE",
                    "NAMESPACE",
                    "DB_HOST",
                    "DB_PORT",
                    "DB_USER",
                    "DB_PASSWORD",
                    "DB_NAME",
                    "DB_SSL_MODE",
                    "DB_TIME_ZONE",
                    "PGSSLROOTCERT",
                    "NATS_URL",
                    "NATS_USER",
                    "NATS_PASSWORD",
                    "JWT_SECRET",
                    WebhookSignature.SecretVariable,
                    "CATALOG_URL",
                ]
            ),
        ];
}
