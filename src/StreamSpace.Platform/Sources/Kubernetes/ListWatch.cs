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
    private const int MaxSilent = 3;
    private static readonly BackOff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    // A watch that is open for so long is one, though nothing happens.
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan WatchTimeoutMargin = TimeSpan.FromSeconds(30);

    private readonly string _query = parameters is null ? "" : $"&{parameters}";

    // Where a watch goes on from; null when a list is needed.
    private string? _version;
    private int _failures;

    // Watches in a row that ended at once, without a line.
    private int _silent;
    private bool _isHeard;

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
                    _isHeard = false;
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

    // Anything else is a bug of ours, and must not look like one of the cluster.
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
        var opened = clock.GetTimestamp();
        await using var lines = WatchLines.ReadAsync(stream, either.Token).GetAsyncEnumerator(either.Token);
        var first = lines.MoveNextAsync().AsTask();
        await Task.WhenAny(first, Task.Delay(SettleTime, clock, either.Token));
        if (first.IsCompletedSuccessfully && !await first)
        {
            await EndedSilentlyAsync(cancellationToken);
            return;
        }
        if (!first.IsCompleted)
        {
            await HeardAsync(cancellationToken);
        }
        for (var more = await first; more; more = await lines.MoveNextAsync())
        {
            await TakeAsync(lines.Current, cancellationToken);
            await HeardAsync(cancellationToken);
            _failures = 0;
        }
        // A watch that ends in time is in order; one that ends early, again and again, is not.
        _failures = clock.GetElapsedTime(opened) < Retry.Limit ? _failures + 1 : 0;
    }

    private async ValueTask HeardAsync(CancellationToken cancellationToken)
    {
        if (!_isHeard)
        {
            await handler.TellAsync(null, cancellationToken);
        }
        (_isHeard, _silent) = (true, 0);
    }

    // Something between us and the API server answers in its place, or it is in trouble: what is new would never be told.
    private async ValueTask EndedSilentlyAsync(CancellationToken cancellationToken)
    {
        _failures++;
        _silent++;
        if (_silent >= MaxSilent)
        {
            _version = null;
            _isHeard = false;
            await handler.TellAsync(
                new ClusterException(
                    "The watch is answered and closed at once, without a line; it is listed again and again."
                )
                {
                    Fix = "See what stands between us and the API server: it must let a watch last.",
                },
                cancellationToken
            );
        }
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
                    ? handler.RemoveAsync(item, cancellationToken)
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
