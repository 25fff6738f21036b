using System.Reflection;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog;

/// <summary>What to do about what may have arrived, where Datadog itself cannot tell a repeat: events and distributions.</summary>
public enum OnUncertain
{
    /// <summary>Send it again: it may be there twice.</summary>
    Resend,

    /// <summary>Leave it: it may be missing, and the ledger says so.</summary>
    Skip,
}

/// <summary>Metrics about the pipeline itself. They are sent like any other and are no part of the ledger.</summary>
/// <param name="Prefix">What their names begin with, up to and with the last dot.</param>
/// <param name="Tags">Tags on each of them.</param>
public sealed record SelfMetrics(string Prefix, IReadOnlyList<string> Tags);

/// <summary>Where telemetry goes and how. Immutable: <see cref="TelemetryPipeline.ConfigureAsync"/> takes a new one.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Datadog site, as in <c>datadoghq.eu</c>. Any host name is taken (docs/reference/datadog.md §1.1).</summary>
    public string Site { get; init; } = "datadoghq.com";

    /// <summary>One base address for every lane, in place of the site's own hosts.</summary>
    public Uri? IntakeUrl { get; init; }

    /// <summary>
    /// An OTLP/HTTP endpoint for traces alone, in place of the site's: that of a collector or an Agent, or a gateway. Where it
    /// has no path, <c>/v1/traces</c> is added. The API key goes there, too, if there is one; unless it is Datadog's own, it
    /// may do without.
    /// </summary>
    public Uri? TracesEndpoint { get; init; }

    /// <summary>The organisation's API key. Null: everything is kept until there is one.</summary>
    public string? ApiKey { get; init; }

    /// <summary>
    /// HTTP proxy on the way to an address, with its user and password if it wants them; null for none. Asked for each
    /// request, on any thread.
    /// </summary>
    public Func<Uri, Uri?> Proxy { get; init; } = _ => null;

    /// <summary>Time from one flush to the next.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Tags on everything. <c>service:</c>, <c>env:</c> and <c>version:</c> among them are the service, the environment and the
    /// version of traces and logs, too.
    /// </summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The service of traces and logs that name none; unless given, that of the tags, else the name of the program.</summary>
    public string Service
    {
        get => field ?? ValueOf("service") ?? Assembly.GetEntryAssembly()?.GetName().Name ?? "dotnet";
        init;
    }

    /// <summary>The machine that traces and logs come from, as Datadog knows it: in a cluster, the node.</summary>
    public string Host { get; init; } = Environment.MachineName;

    /// <summary>Whether metrics are taken at all. When not, they are not buffered either.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>Whether traces are taken at all.</summary>
    public bool Traces { get; init; } = true;

    /// <summary>Whether logs are taken at all.</summary>
    public bool Logs { get; init; } = true;

    /// <summary>
    /// Names the far end. What was queued for one is never sent to another; it waits for its own to come back.
    /// </summary>
    public string Destination { get; init; } = "datadog";

    /// <summary>What to do about what may have arrived.</summary>
    public OnUncertain OnUncertain { get; init; }

    /// <summary>Bytes of queued requests beyond which the oldest expire.</summary>
    public long QueueMaxBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Distinct series that are expected at most.</summary>
    public int MaxSeries { get; init; } = 200_000;

    /// <summary>Names and tags of the metrics about the pipeline itself; null: none are sent.</summary>
    public SelfMetrics? SelfMetrics { get; init; }

    /// <summary>What ends up in a log: of the key it says only whether there is one.</summary>
    public override string ToString() =>
        $"{Destination} at {IntakeUrl?.GetLeftPart(UriPartial.Path) ?? Site}, API key {(ApiKey is null ? "missing" : "set")}, "
        + $"a flush each {FlushInterval.TotalSeconds} s, tags [{string.Join(", ", Tags)}]";

    /// <summary>
    /// Whether what was measured under <paramref name="before"/> would be something else under this. The way to the far
    /// end, its pace and its limits are none of it.
    /// </summary>
    internal bool Alters(TelemetryOptions before) =>
        Destination != before.Destination
        || (Service, Host) != (before.Service, before.Host)
        || (Metrics, Traces, Logs) != (before.Metrics, before.Traces, before.Logs)
        || !TagSet.Of(Tags).SequenceEqual(TagSet.Of(before.Tags))
        || SelfMetrics?.Prefix != before.SelfMetrics?.Prefix
        || !TagSet.Of(SelfMetrics?.Tags ?? []).SequenceEqual(TagSet.Of(before.SelfMetrics?.Tags ?? []));

    /// <summary><see cref="TracesEndpoint"/> with a path.</summary>
    internal Uri? OwnTraces =>
        TracesEndpoint is { AbsolutePath: "/" } bare ? new Uri(bare, Signals.Lane.Traces.Path) : TracesEndpoint;

    /// <summary>The value of the first tag of that key, or null.</summary>
    internal string? ValueOf(string key) =>
        TagSet
            .Of(Tags)
            .FirstOrDefault(tag =>
                tag.StartsWith(key, StringComparison.Ordinal) && tag.AsSpan(key.Length).StartsWith(":")
            )
            ?[(key.Length + 1)..];

    internal void Verify()
    {
        if (ApiKey is not null && ApiKey.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException("ApiKey has characters in it that no API key has", nameof(ApiKey));
        }

        if (FlushInterval < TimeSpan.FromSeconds(1))
        {
            throw new ArgumentException("FlushInterval must be at least 1 s", nameof(FlushInterval));
        }

        if (IntakeUrl is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https")))
        {
            throw new ArgumentException("IntakeUrl must be an http or https address", nameof(IntakeUrl));
        }

        if (TracesEndpoint is { } traces && (!traces.IsAbsoluteUri || traces.Scheme is not ("http" or "https")))
        {
            throw new ArgumentException("TracesEndpoint must be an http or https address", nameof(TracesEndpoint));
        }

        if (Uri.CheckHostName(Site) == UriHostNameType.Unknown)
        {
            throw new ArgumentException("Site must be a host name, as in datadoghq.eu", nameof(Site));
        }

        if (QueueMaxBytes <= 0)
        {
            throw new ArgumentException("QueueMaxBytes must be above 0", nameof(QueueMaxBytes));
        }
    }
}
