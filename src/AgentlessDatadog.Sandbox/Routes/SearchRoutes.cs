using System.Text.Json;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Searching spans, logs and events, in Datadog's shapes (docs/reference/datadog.md §7).</summary>
internal sealed class SearchRoutes(
    ApiKeys keys,
    ArrivalStore<StoredSpan> spans,
    ArrivalStore<StoredLog> logs,
    ArrivalStore<StoredEvent> events,
    TimeProvider time
)
{
    private const int MaxBodyBytes = 64 * 1024;

    public void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, "/api/v2/spans/events", spans, SpanJson.Write, isWrapped: true);
        Map(routes, "/api/v2/logs/events", logs, LogEntryJson.Write, isWrapped: false);
        Map(routes, "/api/v2/events", events, EventEntryJson.Write, isWrapped: false);
        // The page asks without keys, at paths of its own.
        MapPage(routes, "/sandbox/spans", spans, SpanJson.Write);
        MapPage(routes, "/sandbox/logs", logs, LogEntryJson.Write);
    }

    private void Map<T>(
        IEndpointRouteBuilder routes,
        string list,
        ArrivalStore<T> store,
        Action<Utf8JsonWriter, T> write,
        bool isWrapped
    )
        where T : class, IStored, ISearchable
    {
        routes.MapRead(
            list,
            context =>
            {
                keys.RequireBothKeys(context.Request);
                var request = SearchRequestReader.OfQuery(context.Request, time.GetUtcNow());
                return AnswerAsync(context, request, store, write, list);
            }
        );
        routes
            .MapPost(
                $"{list}/search",
                async (HttpContext context) =>
                {
                    keys.RequireBothKeys(context.Request);
                    var body = await SmallBody.ReadAsync(context, MaxBodyBytes);
                    var request = SearchRequestReader.OfBody(body, isWrapped, time.GetUtcNow());
                    await AnswerAsync(context, request, store, write, list);
                }
            )
            .OnlyReads();
    }

    private void MapPage<T>(
        IEndpointRouteBuilder routes,
        string path,
        ArrivalStore<T> store,
        Action<Utf8JsonWriter, T> write
    )
        where T : class, IStored, ISearchable =>
        routes.MapRead(
            path,
            context =>
            {
                var request = SearchRequestReader.OfQuery(context.Request, time.GetUtcNow());
                return AnswerAsync(context, request, store, write, path);
            }
        );

    private Task AnswerAsync<T>(
        HttpContext context,
        SearchRequest request,
        ArrivalStore<T> store,
        Action<Utf8JsonWriter, T> write,
        string list
    )
        where T : class, IStored, ISearchable
    {
        var started = time.GetTimestamp();
        var (page, next) = request.Run(store.Newest());
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteStartArray("data");
                foreach (var item in page)
                {
                    json.WriteStartObject();
                    write(json, item);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                WriteMeta(json, elapsed, next);
                if (next is { } position)
                {
                    var server = $"{context.Request.Scheme}://{context.Request.Host}";
                    json.WriteStartObject("links");
                    json.WriteString("next", $"{server}{list}{SearchRequestReader.QueryOf(request, position)}");
                    json.WriteEndObject();
                }
            }
        );
    }

    private static void WriteMeta(Utf8JsonWriter json, long elapsed, SearchPosition? next)
    {
        json.WriteStartObject("meta");
        json.WriteNumber("elapsed", elapsed);
        json.WriteString("status", "done");
        if (next is { } position)
        {
            json.WriteStartObject("page");
            json.WriteString("after", position.ToString());
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
