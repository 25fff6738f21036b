using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Serves watches of a <see cref="FakeCluster"/>: line by line, and all that can go wrong with them.</summary>
internal sealed class FakeWatchApi(FakeCluster cluster, TimeProvider clock)
{
    public async Task ServeAsync(HttpContext http, string kind, string @namespace)
    {
        var query = http.Request.Query;
        // Without a version a watch begins at any point; a probe may ask so when it does not read on.
        var probe = !query.ContainsKey("resourceVersion") && query["timeoutSeconds"] == "1";
        if (!probe && query["allowWatchBookmarks"] != "true")
        {
            cluster.Complain($"A watch of {kind} wants no bookmarks, and so its version grows old.");
        }
        if (
            !int.TryParse(query["timeoutSeconds"], CultureInfo.InvariantCulture, out var seconds)
            || !long.TryParse(
                probe ? "999999999" : query["resourceVersion"],
                CultureInfo.InvariantCulture,
                out var from
            )
        )
        {
            cluster.Complain($"A watch of {kind} needs resourceVersion and timeoutSeconds.");
            await FakeClusterApi.RefuseAsync(http, 400);
            return;
        }
        http.Response.ContentType = "application/json;stream=watch";
        if (cluster.Open(kind, @namespace, FakeClusterApi.Label(http), from) is not { } watch)
        {
            // As real servers do: the answer is 200, and the refusal is the first line.
            await http.Response.WriteAsync($$"""{"type":"ERROR","object":{{FakeClusterApi.StatusText(410)}}}""" + "\n");
            return;
        }
        try
        {
            using var end = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, http.RequestAborted);
            await http.Response.StartAsync();
            await http.Response.Body.FlushAsync(http.RequestAborted);
            if (cluster.ClosesWatches?.Invoke(kind) is true)
            {
                return;
            }
            if (cluster.Stalls)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, http.RequestAborted);
            }
            while (true)
            {
                var more = watch.Lines.Reader.WaitToReadAsync(either.Token).AsTask();
                if (await Task.WhenAny(more, watch.Cut.Task) == watch.Cut.Task)
                {
                    http.Abort();
                    return;
                }
                if (!await more)
                {
                    return;
                }
                while (watch.Lines.Reader.TryRead(out var line))
                {
                    await SendAsync(http, Encoding.UTF8.GetBytes(line + "\n"));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Its time is over, or the client has gone.
        }
        finally
        {
            cluster.Close(watch);
        }
    }

    private async Task SendAsync(HttpContext http, byte[] line)
    {
        var size = cluster.Drip > 0 ? cluster.Drip : line.Length;
        for (var at = 0; at < line.Length; at += size)
        {
            await http.Response.Body.WriteAsync(line.AsMemory(at, Math.Min(size, line.Length - at)));
            await http.Response.Body.FlushAsync();
        }
    }
}
