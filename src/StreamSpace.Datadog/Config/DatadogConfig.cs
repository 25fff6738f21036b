using System.Globalization;
using System.Text.Json.Nodes;
using AgentlessDatadog;
using AgentlessDatadog.Signals;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>What the tag <c>user</c> holds.</summary>
internal enum UserTag
{
    Name,
    Id,
    None,
}

/// <summary>The plugin's config, parsed once. The keys, defaults and limits are those of the manifest's schema.</summary>
internal sealed record DatadogConfig
{
    /// <summary>The name of the local Datadog in place of a site.</summary>
    public const string Sandbox = "sandbox";

    /// <summary>Every key that has a value, in its declared type; secrets among them.</summary>
    public required JsonObject Values { get; init; }

    public required bool Enabled { get; init; }
    public string? ApiKey { get; init; }
    public string? AppKey { get; init; }
    public required string Site { get; init; }
    public required bool EnableMetrics { get; init; }
    public required bool EnableTraces { get; init; }
    public required bool EnableLogs { get; init; }
    public required IReadOnlyList<string> GlobalTags { get; init; }
    public required TimeSpan MetricsInterval { get; init; }
    public required bool TrackSessionMetrics { get; init; }
    public required bool TrackResourceMetrics { get; init; }
    public required bool TrackUserMetrics { get; init; }
    public Uri? IntakeUrl { get; init; }

    /// <summary>The proxy on the way to an address, or null for none.</summary>
    public required Func<Uri, Uri?> Proxy { get; init; }

    /// <summary>Where traces go in place of Datadog, or null.</summary>
    public Uri? TracesEndpoint { get; init; }
    public string? Cluster { get; init; }
    public required UserTag UserTag { get; init; }
    public required bool SessionTagOnDuration { get; init; }
    public required bool UseDistributions { get; init; }
    public required int MaxSeries { get; init; }
    public required long QueueMaxBytes { get; init; }
    public required OnUncertain OnUncertain { get; init; }

    /// <summary>The share of sessions that are traced, 0 to 1.</summary>
    public required double TraceSampleRate { get; init; }

    /// <summary>Whether what this process is asked and asks is traced, too.</summary>
    public required bool TraceRequests { get; init; }

    /// <summary>The machine that traces and logs come from, or null for the name of this one.</summary>
    public string? Host { get; init; }

    /// <summary>Handles that the monitors tell, such as <c>@slack-platform-alerts</c>, parted by blanks.</summary>
    public string? Notify { get; init; }

    /// <summary>Where the value of each key comes from, or its absence.</summary>
    public required IReadOnlyDictionary<string, SettingSource> Origins { get; init; }

    /// <summary>When StreamSpace's row was last written, or null when nobody can tell.</summary>
    public DateTimeOffset? RowWritten { get; init; }

    /// <summary>What is odd about it, and what of it is not applied, named by the key or the variable.</summary>
    public required IReadOnlyList<CheckFinding> Warnings { get; init; }

    /// <summary>The service that sessions and this host itself belong to: that of the tags, as Datadog keeps it.</summary>
    public string Service => ValueOf("service") ?? "streamspace";

    /// <summary>
    /// True while nothing that is sent can leave the machine: the sandbox, reached over loopback. A base URL of
    /// the operator's own counts as leaving, for what stands behind it is unknown.
    /// </summary>
    public bool KeepsDataLocal => IsLocal(Site, IntakeUrl);

    /// <summary>The value of the first tag of that key among those on everything, as Datadog keeps it; null without one.</summary>
    public string? ValueOf(string key) =>
        TagSet
            .Of(GlobalTags)
            .FirstOrDefault(tag => tag.StartsWith($"{key}:", StringComparison.Ordinal))
            ?[(key.Length + 1)..];

    /// <summary>Whether a site stands for the sandbox of this machine; a traces endpoint elsewhere is not applied beside it.</summary>
    public static bool IsLocal(string? site, Uri? intakeUrl) =>
        site == Sandbox && intakeUrl is null or { IsLoopback: true };

    /// <summary>Whence a value of <paramref name="origin"/> comes, for a sentence.</summary>
    public static string Said(SettingOrigin origin, DateTimeOffset? rowWritten) =>
        origin switch
        {
            SettingOrigin.Environment => "the environment",
            SettingOrigin.Row when rowWritten is { } at =>
                $"StreamSpace's row, last written {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC",
            SettingOrigin.Row => "StreamSpace's row",
            SettingOrigin.Uninstalled => "StreamSpace's page, where it was uninstalled",
            SettingOrigin.Saved => "the saved config",
            _ => "the defaults",
        };

    // An operator prints a config in a log sooner or later: no key may come with it.
    public override string ToString() => $"site {Site}, interval {MetricsInterval.TotalSeconds} s";
}
