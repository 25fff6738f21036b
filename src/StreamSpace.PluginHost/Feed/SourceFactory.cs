using Microsoft.Extensions.Logging.Abstractions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

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
