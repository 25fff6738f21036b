using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>By which tags a distribution has percentiles (docs/reference/datadog.md §8.5).</summary>
internal sealed class PercentileAssets(AccountApi api) : AccountAssets(api)
{
    public override string Right => "metric_tags_write";

    public override async Task<Existing?> FindAsync(Asset asset, CancellationToken cancellationToken) =>
        await Api.GetAsync(PathOf(asset.Key), cancellationToken) is { } answer
        && answer["data"]?["attributes"] is JsonObject attributes
            ? new Existing(asset.Key, attributes)
            : null;

    // Of a metric that has not reported nothing can be set.
    public override async Task<bool> MayCreateAsync(Asset asset, CancellationToken cancellationToken) =>
        await Api.GetAsync($"/api/v1/metrics/{asset.Key}", cancellationToken) is not null;

    public override Task<string> CreateAsync(Asset asset, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, asset.Key, (JsonObject)asset.Body.DeepClone(), cancellationToken);

    public override Task UpdateAsync(Existing existing, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, existing.Id, body, cancellationToken);

    public override Task RemoveAsync(Existing existing, CancellationToken cancellationToken) =>
        Api.AskAsync(HttpMethod.Delete, PathOf(existing.Id), null, cancellationToken);

    // All switches, as an edit wants them; the type is for good.
    public override JsonObject Merge(Existing existing, Asset asset)
    {
        var merged = Over(Kept(existing.Body, "exclude_tags_mode", Difference.Tags), asset.Body);
        merged.Remove("metric_type");
        return merged;
    }

    private async Task<string> SendAsync(
        HttpMethod method,
        string metric,
        JsonObject attributes,
        CancellationToken cancellationToken
    )
    {
        var body = new JsonObject
        {
            ["data"] = new JsonObject
            {
                ["type"] = "manage_tags",
                ["id"] = metric,
                ["attributes"] = attributes,
            },
        };
        await Api.AskAsync(method, PathOf(metric), body, cancellationToken);
        return metric;
    }

    private static string PathOf(string metric) => $"/api/v2/metrics/{metric}/tags";
}
