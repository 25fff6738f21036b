using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>
/// What has a list, and is found in it by its marker. Of several, as when somebody has cloned one with its description, the
/// oldest is ours.
/// </summary>
internal abstract class ListedAssets(AccountApi api, Installation installation, string path) : AccountAssets(api)
{
    private const int PageSize = 100;

    private IReadOnlyList<JsonObject>? _list;

    /// <summary>All that may be ours, the oldest first.</summary>
    protected abstract Task<IReadOnlyList<JsonObject>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The tags that mark one.</summary>
    protected abstract IReadOnlyCollection<string> TagsOf(JsonObject listed);

    /// <summary>One as it is whole; null when it has gone meanwhile.</summary>
    protected abstract Task<JsonObject?> WholeAsync(JsonObject listed, CancellationToken cancellationToken);

    public override async Task<Existing?> FindAsync(Asset asset, CancellationToken cancellationToken)
    {
        _list ??= await ListAsync(cancellationToken);
        var listed = _list.FirstOrDefault(one => Marker.IsOn(TagsOf(one), asset.Key, installation));
        return listed is not null && await WholeAsync(listed, cancellationToken) is { } whole
            ? new Existing($"{whole["id"]}", whole)
            : null;
    }

    public override async Task<string> CreateAsync(Asset asset, CancellationToken cancellationToken)
    {
        var answer = await Api.AskAsync(HttpMethod.Post, path, asset.Body, cancellationToken);
        // One alone, or a list of one under "data".
        return $"{(answer?["data"] is JsonArray { Count: > 0 } data ? data[0]! : answer!)["id"]}";
    }

    public override Task UpdateAsync(Existing existing, JsonObject body, CancellationToken cancellationToken) =>
        Api.AskAsync(HttpMethod.Put, $"{path}/{existing.Id}", body, cancellationToken);

    public override Task RemoveAsync(Existing existing, CancellationToken cancellationToken) =>
        Api.AskAsync(HttpMethod.Delete, $"{path}/{existing.Id}", null, cancellationToken);

    /// <summary>All pages of a list.</summary>
    protected async Task<List<JsonObject>> PagesAsync(
        Func<int, int, string> pathOf,
        Func<JsonNode, JsonNode?> itemsOf,
        CancellationToken cancellationToken
    )
    {
        var all = new List<JsonObject>();
        while (true)
        {
            var answer = await Api.GetAsync(pathOf(all.Count, PageSize), cancellationToken);
            var page = answer is null ? null : itemsOf(answer) as JsonArray;
            all.AddRange(page?.OfType<JsonObject>() ?? []);
            if (page is not { Count: PageSize })
            {
                return all;
            }
        }
    }

    protected static IReadOnlyCollection<string> TagsIn(JsonObject listed) =>
        [.. (listed[Difference.Tags] as JsonArray)?.Select(t => $"{t}") ?? []];
}
