using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>The service in the software catalogue (docs/reference/datadog.md §8.6). One that somebody else defined is left alone.</summary>
internal sealed class EntityAssets(AccountApi api) : AccountAssets(api)
{
    private const string Path = "/api/v2/catalog/entity";

    public override string Right => "apm_service_catalog_write";

    public override async Task<Existing?> FindAsync(Asset asset, CancellationToken cancellationToken)
    {
        var answer = await Api.GetAsync(
            $"{Path}?filter[kind]=service&filter[name]={Uri.EscapeDataString(asset.Key)}&include=schema",
            cancellationToken
        );
        if (answer?["data"] is not JsonArray { Count: > 0 } found)
        {
            return null;
        }
        var id = $"{found[0]!["id"]}";
        var schema = (answer["included"] as JsonArray)
            ?.Select(one => one?["attributes"]?["schema"] as JsonObject)
            .FirstOrDefault(one => one is not null && (string?)one["metadata"]?["name"] == asset.Key);
        var tags = (schema?["metadata"]?[Difference.Tags] as JsonArray)?.Select(t => $"{t}") ?? [];
        return tags.Contains(Marker.ManagedBy)
            ? new Existing(id, schema!)
            : throw new AccountException($"{asset.Name} is defined by somebody else, and left as it is");
    }

    public override async Task<string> CreateAsync(Asset asset, CancellationToken cancellationToken)
    {
        await Api.AskAsync(HttpMethod.Post, Path, asset.Body, cancellationToken);
        return asset.Name;
    }

    public override Task UpdateAsync(Existing existing, JsonObject body, CancellationToken cancellationToken) =>
        Api.AskAsync(HttpMethod.Post, Path, body, cancellationToken);

    public override Task RemoveAsync(Existing existing, CancellationToken cancellationToken) =>
        Api.AskAsync(HttpMethod.Delete, $"{Path}/{existing.Id}", null, cancellationToken);

    public override JsonObject Merge(Existing existing, Asset asset) => Over(existing.Body, asset.Body);
}
