using System.Text.Json;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Searching spans and logs, in Datadog's shapes (docs/reference/datadog.md §7).</summary>
internal sealed class SearchRoutes(
    ApiKeys keys,
    ArrivalStore<StoredSpan> spans,
    ArrivalStore<StoredLog> logs,
    TimeProvider time
)
{
    private const int MaxBodyBytes = 64 * 1024;

    public void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, "spans", spans, SpanJson.Write, isWrapped: true);
        Map(routes, "logs", logs, LogEntryJson.Write, isWrapped: false);
    }

    private void Map<T>(
        IEndpointRouteBuilder routes,
        string what,
        ArrivalStore<T> store,
        Action<Utf8JsonWriter, T> write,
        bool isWrapped
    )
        where T : class, IStored, ISearchable
    {
        var list = $"/api/v2/{what}/events";
        // The page asks without keys, at a path of its own.
        routes.MapRead(
            $"/sandbox/{what}",
            context => AnswerAsync(context, SearchRequestReader.OfQuery(context.Request, time.GetUtcNow()))
        );
        routes.MapRead(
            list,
            context =>
            {
                keys.RequireBothKeys(context.Request);
                return AnswerAsync(context, SearchRequestReader.OfQuery(context.Request, time.GetUtcNow()));
            }
        );
        routes
            .MapPost(
                $"{list}/search",
                async (HttpContext context) =>
                {
                    keys.RequireBothKeys(context.Request);
                    var request = await SmallBody.ReadAsync(
                        context,
                        MaxBodyBytes,
                        json => SearchRequestReader.OfBody(json, isWrapped, time.GetUtcNow())
                    );
                    await AnswerAsync(context, request);
                }
            )
            .OnlyReads();

        Task AnswerAsync(HttpContext context, SearchRequest request)
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
