using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Lists one kind of resource and watches it from there on: pages by <c>continue</c>, bookmarks, another list when the
/// cluster no longer knows the version (410), another watch when one ends, jittered back-off for ever.
/// </summary>
internal sealed class ListWatch<T>(
    ClusterClient cluster,
    string path,
    string? parameters,
    JsonTypeInfo<T> type,
    Func<T, ObjectMeta> metadata,
    IListWatchHandler<T> handler,
    TimeProvider clock,
    Func<double> random
)
{
    private const int PageSize = 500;
    private static readonly BackOff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan WatchTimeoutMargin = TimeSpan.FromSeconds(30);

    private readonly string _query = parameters is null ? "" : $"&{parameters}";

    // Where a watch goes on from; null when a list is needed.
    private string? _version;
    private int _failures;

    /// <summary>Goes on until <paramref name="cancellationToken"/> fires, and then throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                _version ??= await ListAsync(cancellationToken);
                await WatchAsync(_version, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsFarEnd(e))
            {
                var error = ClusterException.From(e);
                if (error.Gone)
                {
                    _version = null;
                }
                else
                {
                    await handler.TellAsync(error, cancellationToken);
                }
                _failures++;
            }
            // The first 410 needs no wait: it is how the cluster says "list again".
            if (_failures > 1 || (_failures == 1 && _version is not null))
            {
                await Task.Delay(Retry.After(_failures, random()), clock, cancellationToken);
            }
        }
    }

    // Anything else is a fault of ours, and must not look like one of the cluster.
    private static bool IsFarEnd(Exception e) =>
        e is ClusterException or IOException or HttpRequestException or JsonException or OperationCanceledException;

    private async Task<string> ListAsync(CancellationToken cancellationToken)
    {
        var uids = new HashSet<string>(StringComparer.Ordinal);
        var page = await PageAsync(more: null, cancellationToken);
        handler.Lists(begins: true);
        try
        {
            while (true)
            {
                var items = (page.Items ?? []).Select(Read).OfType<T>().ToList();
                uids.UnionWith(items.Select(i => metadata(i).Uid!));
                await handler.SeeAsync(items, cancellationToken);
                if (page.Metadata?.Continue is not { Length: > 0 } more)
                {
                    await handler.KeepAsync(uids, cancellationToken);
                    return page.Metadata?.ResourceVersion
                        ?? throw new JsonException("A list came without a resource version.");
                }
                page = await PageAsync(more, cancellationToken);
            }
        }
        finally
        {
            handler.Lists(begins: false);
        }
    }

    private Task<ListPage> PageAsync(string? more, CancellationToken cancellationToken)
    {
        var rest = more is null ? "" : $"&continue={Uri.EscapeDataString(more)}";
        return cluster.ReadAsync(
            $"{path}?limit={PageSize}{_query}{rest}",
            KubernetesJson.Default.ListPage,
            cancellationToken
        );
    }

    private async Task WatchAsync(string version, CancellationToken cancellationToken)
    {
        // Many watchers that began together must not all come back together.
        var length = ShortestWatch * (1 + (random() / 2));
        using var timeout = new CancellationTokenSource(length + WatchTimeoutMargin, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await using var stream = await cluster.WatchAsync(
            $"{path}?watch=1&allowWatchBookmarks=true&timeoutSeconds={(int)length.TotalSeconds}"
                + $"&resourceVersion={Uri.EscapeDataString(version)}{_query}",
            either.Token
        );
        await handler.TellAsync(null, cancellationToken);
        var opened = clock.GetTimestamp();
        await foreach (var line in WatchLines.ReadAsync(stream, either.Token))
        {
            await TakeAsync(line, cancellationToken);
            _failures = 0;
        }
        // A watch that ends in time is in order; one that ends at once, saying nothing, is not.
        _failures = clock.GetElapsedTime(opened) < Retry.Limit ? _failures + 1 : 0;
    }

    private async ValueTask TakeAsync(WatchLine line, CancellationToken cancellationToken)
    {
        if (line.Type is "ERROR")
        {
            var status = line.Object.Deserialize(KubernetesJson.Default.AnyResource);
            throw new ClusterException(
                $"The watch ended with code {status?.Code}.",
                (System.Net.HttpStatusCode?)status?.Code
            );
        }
        if (line.Type is not "BOOKMARK" && Read(line.Object) is { } item)
        {
            await (
                line.Type is "DELETED"
                    ? handler.LoseAsync(item, cancellationToken)
                    : handler.SeeAsync([item], cancellationToken)
            );
        }
        _version = line.Object.Deserialize(KubernetesJson.Default.AnyResource)?.Metadata?.ResourceVersion ?? _version;
    }

    private T? Read(JsonElement json)
    {
        try
        {
            if (
                json.Deserialize(type) is { } item
                && metadata(item) is { Name: not null, Uid: not null, CreationTimestamp: not null }
            )
            {
                return item;
            }
        }
        catch (JsonException) { }
        handler.Skipped("unreadable");
        return default;
    }
}
