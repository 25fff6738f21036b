using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>SLOs (docs/reference/datadog.md §8.4).</summary>
internal sealed class SloAssets(AccountApi api, Installation installation) : ListedAssets(api, installation, Path)
{
    private const string Path = "/api/v1/slo";

    public override string Right => "slos_write";

    public override JsonObject Merge(Existing existing, Asset asset) =>
        Over(Kept(existing.Body, "groups", Difference.Tags), asset.Body);

    protected override async Task<IReadOnlyList<JsonObject>> ListAsync(CancellationToken cancellationToken) =>
        [
            .. (
                await PagesAsync(
                    (from, size) =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Path}?tags_query={Marker.ManagedBy}&offset={from}&limit={size}"
                        ),
                    answer => answer["data"],
                    cancellationToken
                )
            ).OrderBy(slo => (long?)slo["created_at"] ?? 0),
        ];

    protected override IReadOnlyCollection<string> TagsOf(JsonObject listed) => TagsIn(listed);

    protected override Task<JsonObject?> WholeAsync(JsonObject listed, CancellationToken cancellationToken) =>
        Task.FromResult<JsonObject?>(listed);
}
