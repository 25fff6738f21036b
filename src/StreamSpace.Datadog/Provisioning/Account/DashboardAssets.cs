using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>Dashboards (docs/reference/datadog.md §8.2): the list has neither widgets nor tags, so that the marker is in the description.</summary>
internal sealed class DashboardAssets(AccountApi api, Installation installation) : ListedAssets(api, installation, Path)
{
    private const string Path = "/api/v1/dashboard";

    public override string Right => "dashboards_write";

    // A PUT replaces the whole.
    public override JsonObject Merge(Existing existing, Asset asset) =>
        Over(
            Kept(
                existing.Body,
                "notify_list",
                "restricted_roles",
                "template_variable_presets",
                "default_timeframe",
                Difference.Tags
            ),
            asset.Body
        );

    protected override async Task<IReadOnlyList<JsonObject>> ListAsync(CancellationToken cancellationToken) =>
        [
            .. (
                await PagesAsync(
                    (from, size) => string.Create(CultureInfo.InvariantCulture, $"{Path}?start={from}&count={size}"),
                    answer => answer["dashboards"],
                    cancellationToken
                )
            ).OrderBy(dashboard => $"{dashboard["created_at"]}", StringComparer.Ordinal),
        ];

    protected override IReadOnlyCollection<string> TagsOf(JsonObject listed) =>
        $"{listed["description"]}".TrimEnd().Split('\n')[^1].Split(' ');

    protected override async Task<JsonObject?> WholeAsync(JsonObject listed, CancellationToken cancellationToken) =>
        await Api.GetAsync($"{Path}/{listed["id"]}", cancellationToken) as JsonObject;
}
