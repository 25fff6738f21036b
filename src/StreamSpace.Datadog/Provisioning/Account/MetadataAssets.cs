using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>Unit and description of metrics (docs/reference/datadog.md §3.9). A metric is there once it has reported, and stays.</summary>
internal sealed class MetadataAssets(AccountApi api) : AccountAssets(api)
{
    public override string Right => "metrics_metadata_write";

    public override async Task<Existing?> FindAsync(Asset asset, CancellationToken cancellationToken) =>
        await Api.GetAsync(PathOf(asset.Key), cancellationToken) is JsonObject body
            ? new Existing(asset.Key, body)
            : null;

    public override Task<bool> MayCreateAsync(Asset asset, CancellationToken cancellationToken) =>
        Task.FromResult(false);

    public override Task<string> CreateAsync(Asset asset, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A metric makes itself.");

    public override Task UpdateAsync(Existing existing, JsonObject body, CancellationToken cancellationToken) =>
        Api.AskAsync(HttpMethod.Put, PathOf(existing.Id), body, cancellationToken);

    public override Task RemoveAsync(Existing existing, CancellationToken cancellationToken) => Task.CompletedTask;

    public override JsonObject Merge(Existing existing, Asset asset) => asset.Body;

    private static string PathOf(string metric) => $"/api/v1/metrics/{metric}";
}
