using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>Monitors (docs/reference/datadog.md §8.3).</summary>
internal sealed class MonitorAssets(AccountApi api, Installation installation) : ListedAssets(api, installation, Path)
{
    private const string Path = "/api/v1/monitor";

    // Of an answer: deprecated, and partly refused beside what has taken their place.
    private static readonly string[] NotSentBack =
    [
        "notify_no_data",
        "no_data_timeframe",
        "new_host_delay",
        "silenced",
        "locked",
        "device_ids",
    ];

    public override string Right => "monitors_write";

    // An edit leaves what it does not name, but replaces the options whole.
    public override JsonObject Merge(Existing existing, Asset asset)
    {
        var kept = Kept(existing.Body, "options", Difference.Tags);
        foreach (var name in NotSentBack)
        {
            (kept["options"] as JsonObject)?.Remove(name);
        }
        return Over(kept, asset.Body);
    }

    protected override async Task<IReadOnlyList<JsonObject>> ListAsync(CancellationToken cancellationToken) =>
        [
            .. (
                await PagesAsync(
                    (from, size) =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Path}?monitor_tags={Marker.ManagedBy}&page={from / size}&page_size={size}"
                        ),
                    answer => answer,
                    cancellationToken
                )
            ).OrderBy(monitor => (long?)monitor["id"] ?? 0),
        ];

    protected override IReadOnlyCollection<string> TagsOf(JsonObject listed) => TagsIn(listed);

    protected override Task<JsonObject?> WholeAsync(JsonObject listed, CancellationToken cancellationToken) =>
        Task.FromResult<JsonObject?>(listed);
}
