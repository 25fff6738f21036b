using System.Security.Cryptography;
using System.Text;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>
/// The metrics that Datadog computes of spans (docs/reference/datadog.md §5.4): hits and errors of each operation as
/// counts, its latency as a distribution in seconds, by service, resource, environment and version.
/// </summary>
internal static class TraceMetrics
{
    private const int BucketSeconds = 10;
    private const double NanosecondsPerSecond = 1e9;

    /// <summary>What a resource is known by besides its name.</summary>
    public static string HashOf(string resource) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(resource)).AsSpan(0, 8));

    /// <summary>The series of some spans, to be added to what is there.</summary>
    public static List<IncomingSeries> Of(IEnumerable<StoredSpan> spans, DateTimeOffset now)
    {
        // A span counts in the bucket that is open when it comes: a late one in the oldest, as an Agent does it.
        var newest = now.ToUnixTimeSeconds() / BucketSeconds * BucketSeconds;
        return
        [
            .. spans
                .Where(span => span.HasMetrics)
                .GroupBy(span =>
                    (
                        span.Operation,
                        span.Service,
                        span.Resource,
                        span.Env,
                        span.Version,
                        Time: Math.Clamp(BucketOf(span.End), newest - (2 * BucketSeconds), newest)
                    )
                )
                .SelectMany(group =>
                {
                    var (operation, service, resource, env, version, time) = group.Key;
                    string[] tags =
                    [
                        .. new[]
                        {
                            NameRules.Tag("service", service),
                            NameRules.Tag("resource_name", resource),
                            NameRules.Tag("resource", HashOf(resource)),
                            NameRules.Tag("env", env),
                            NameRules.Tag("version", version),
                        }.OfType<string>(),
                    ];
                    var name = $"trace.{operation}";
                    return new[]
                    {
                        Count($"{name}.hits", group.Count(), tags, time),
                        Count($"{name}.errors", group.Count(span => span.IsError), tags, time),
                        new IncomingSeries(
                            name,
                            IntakeMetricType.Distribution,
                            0,
                            "second",
                            tags,
                            [.. group.Select(span => new MetricPoint(time, span.Duration / NanosecondsPerSecond))]
                        ),
                    };
                }),
        ];
    }

    private static long BucketOf(long nanoseconds) =>
        (long)(nanoseconds / NanosecondsPerSecond) / BucketSeconds * BucketSeconds;

    private static IncomingSeries Count(string name, int count, string[] tags, long time) =>
        new(name, IntakeMetricType.Count, BucketSeconds, "", tags, [new MetricPoint(time, count)]) { AddsUp = true };
}
