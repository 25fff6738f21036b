using Microsoft.Extensions.Logging.Abstractions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Feed;

/// <summary>The sources of platform events that the environment names, under the names that StreamSpace's own API uses.</summary>
internal static class SourceFactory
{
    /// <summary>What an operator can do when there is none.</summary>
    public const string HowToSetOne =
        "Run it in the cluster or set KUBECONFIG, DB_HOST, NATS_URL or WEBHOOK_SIGNING_SECRET to attach it to a StreamSpace.";

    /// <summary>StreamSpace's database, or null when none is named or a variable is wrong.</summary>
    public static PostgresOptions? Database(IReadOnlyDictionary<string, string> environment) =>
        PostgresOptions.Read(environment.GetValueOrDefault, []);

    /// <param name="environment">The variables.</param>
    /// <param name="lookEvery">How often levels are wanted anew; asked before each look.</param>
    /// <param name="clock">The clock of all of them.</param>
    /// <param name="random">Spreads their retries.</param>
    /// <param name="logger">Takes what goes wrong with them.</param>
    /// <exception cref="StartupException">A variable is wrong; the message names every one of them.</exception>
    public static IReadOnlyList<ISource> From(
        IReadOnlyDictionary<string, string> environment,
        Func<TimeSpan> lookEvery,
        TimeProvider clock,
        Func<double> random,
        ILogger logger
    )
    {
        var sources = new List<ISource>();
        var errors = new List<string>();
        if (Cluster(environment, errors) is { } kubernetes)
        {
            sources.Add(new KubernetesSource(kubernetes with { MetricsInterval = lookEvery }, clock, random, logger));
        }
        if (PostgresOptions.Read(environment.GetValueOrDefault, errors) is { } postgres)
        {
            sources.Add(new PostgresSource(postgres, lookEvery, clock, random, logger));
        }
        if (Nats(environment, errors, clock, random, logger) is { } nats)
        {
            sources.Add(nats);
        }
        errors.AddRange(Signing(environment));
        if (sources.Count > 0 || TakesSigned(environment))
        {
            sources.Add(new WebhookSource(clock, ownsUsers: !sources.OfType<PostgresSource>().Any()));
        }
        return errors.Count == 0 ? sources : throw new StartupException(string.Join(" ", errors));
    }

    /// <summary>One sentence for each variable that is wrong.</summary>
    public static IReadOnlyList<string> Errors(
        IReadOnlyDictionary<string, string> environment,
        TimeProvider clock,
        Func<double> random
    )
    {
        var errors = new List<string>();
        Cluster(environment, errors);
        PostgresOptions.Read(environment.GetValueOrDefault, errors);
        Nats(environment, errors, clock, random, NullLogger.Instance);
        errors.AddRange(Signing(environment));
        return errors;
    }

    /// <summary>
    /// One finding for each source that is not configured, with the metrics that it costs. What is wrong with a variable that names
    /// one is told elsewhere.
    /// </summary>
    public static IEnumerable<CheckFinding> Absent(IReadOnlyDictionary<string, string> environment)
    {
        var wrong = new List<string>();
        if (Cluster(environment, wrong) is null && wrong.Count == 0)
        {
            yield return new(
                "kubernetes",
                CheckVerdict.Warning,
                $"Kubernetes is not configured: {CostOf("kubernetes")}",
                "Run it in the cluster, or set KUBECONFIG."
            );
        }
        if (!environment.ContainsKey("DB_HOST"))
        {
            yield return new(
                "postgresql",
                CheckVerdict.Warning,
                $"PostgreSQL is not configured: {CostOf("postgresql")}",
                "Set DB_HOST, and DB_USER and DB_PASSWORD of a role that may read."
            );
        }
        if (!environment.ContainsKey("NATS_URL"))
        {
            yield return new("nats", CheckVerdict.Good, $"NATS is not configured: {CostOf("nats")}");
        }
        if (!environment.ContainsKey(WebhookSignature.SecretVariable))
        {
            yield return new(
                "http",
                CheckVerdict.Good,
                "No secret for signed webhooks is configured: no metric is missing, /api/events takes what comes with a token."
            );
        }
    }

    /// <summary>A source's name at the beginning of a sentence.</summary>
    /// <param name="source">Its name.</param>
    public static string TitleOf(string source) =>
        source switch
        {
            "kubernetes" => "Kubernetes",
            "postgresql" => "PostgreSQL",
            "nats" => "NATS",
            _ => source,
        };

    /// <summary>What is missing without a source, in words.</summary>
    /// <param name="source">Its name.</param>
    public static string CostOf(string source) =>
        source switch
        {
            "kubernetes" =>
                "streamspace.session.cpu_usage, memory_usage and storage_usage are missing, and sessions are known as far as the other sources tell.",
            "postgresql" =>
                "streamspace.users.total is missing, and streamspace.user.created, user.login and user.logout count only what is posted to /api/events.",
            "nats" => "no metric is missing, sessions are heard of somewhat later.",
            _ => "nothing of it is known.",
        };

    /// <summary>True when signed webhooks are taken.</summary>
    public static bool TakesSigned(IReadOnlyDictionary<string, string> environment) =>
        environment.ContainsKey(WebhookSignature.SecretVariable);

    /// <summary>The cluster, or null when there is none or a variable is wrong, which adds a sentence.</summary>
    public static KubernetesOptions? Cluster(
        IReadOnlyDictionary<string, string> environment,
        ICollection<string> errors
    )
    {
        try
        {
            return KubernetesOptions.From(environment.GetValueOrDefault);
        }
        catch (ArgumentException e)
        {
            errors.Add(e.Message);
            return null;
        }
    }

    /// <summary>NATS, or null when none is named or a variable is wrong, which adds a sentence.</summary>
    public static NatsSource? Nats(
        IReadOnlyDictionary<string, string> environment,
        ICollection<string> errors,
        TimeProvider clock,
        Func<double> random,
        ILogger logger
    )
    {
        if (environment.GetValueOrDefault("NATS_URL") is not { } url || string.IsNullOrWhiteSpace(url))
        {
            return null;
        }
        var options = new NatsOptions(
            url,
            environment.GetValueOrDefault("NATS_USER"),
            environment.GetValueOrDefault("NATS_PASSWORD")
        );
        try
        {
            return new NatsSource(options, clock, random, logger);
        }
        catch (ArgumentException e)
        {
            errors.Add(e.Message);
            return null;
        }
    }

    private static IEnumerable<string> Signing(IReadOnlyDictionary<string, string> environment) =>
        WebhookSignature.Error(environment) is { } error ? [error] : [];
}
