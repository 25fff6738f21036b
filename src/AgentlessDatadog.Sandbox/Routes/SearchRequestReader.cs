using System.Globalization;
using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Reads a search out of a body or a query string; what is not said of it has Datadog's defaults.</summary>
internal static class SearchRequestReader
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <param name="json">The body.</param>
    /// <param name="isWrapped">True where it stands in <c>data.attributes</c>, as a search of spans does.</param>
    /// <param name="now">What <c>now</c> means.</param>
    /// <exception cref="ApiError">400 or 422, naming the field.</exception>
    public static SearchRequest OfBody(JsonElement json, bool isWrapped, DateTimeOffset now)
    {
        JsonShape.Expect(json, JsonValueKind.Object, "payload", "an object");
        if (isWrapped)
        {
            var data = JsonShape.Required(json, "data", JsonValueKind.Object, "payload", "an object");
            json = JsonShape.Required(data, "attributes", JsonValueKind.Object, "data", "an object");
        }
        var filter = JsonShape.Optional(json, "filter", JsonValueKind.Object, "payload", "an object");
        var page = JsonShape.Optional(json, "page", JsonValueKind.Object, "payload", "an object");
        return Create(
            now,
            Text(filter, "query", "filter"),
            Text(filter, "from", "filter"),
            Text(filter, "to", "filter"),
            JsonShape.OptionalText(json, "sort", "payload"),
            page is { } ? JsonShape.OptionalInteger(page.Value, "limit", "page") : null,
            Text(page, "cursor", "page")
        );
    }

    /// <exception cref="ApiError">400 or 422, naming the parameter.</exception>
    public static SearchRequest OfQuery(HttpRequest request, DateTimeOffset now)
    {
        var limit = (string?)request.Query["page[limit]"];
        return Create(
            now,
            request.Query["filter[query]"],
            request.Query["filter[from]"],
            request.Query["filter[to]"],
            request.Query["sort"],
            limit is null ? null
                : long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
                : 0,
            request.Query["page[cursor]"]
        );
    }

    /// <summary>The query string of the page that begins at a position.</summary>
    public static QueryString QueryOf(SearchRequest request, SearchPosition next) =>
        QueryString.Create(
            new Dictionary<string, string?>
            {
                ["filter[query]"] = request.Query,
                ["filter[from]"] = Milliseconds(request.From),
                ["filter[to]"] = Milliseconds(request.To),
                ["sort"] = request.IsAscending ? "timestamp" : "-timestamp",
                ["page[limit]"] = request.Limit.ToString(CultureInfo.InvariantCulture),
                ["page[cursor]"] = next.ToString(),
            }
        );

    private static SearchRequest Create(
        DateTimeOffset now,
        string? query,
        string? from,
        string? to,
        string? sort,
        long? limit,
        string? cursor
    )
    {
        query = string.IsNullOrEmpty(query) ? "*" : query;
        var request = new SearchRequest
        {
            Query = query,
            Filter = SearchParser.Parse(query),
            From = SearchTime.Parse(from ?? "now-15m", now, "filter.from"),
            // The whole of its millisecond.
            To = SearchTime.Parse(to ?? "now", now, "filter.to") + NanosecondsPerMillisecond - 1,
            IsAscending = sort switch
            {
                null or "-timestamp" => false,
                "timestamp" => true,
                _ => throw JsonShape.Wrong("sort", "timestamp or -timestamp"),
            },
            Limit = limit is null or (>= 1 and <= SearchRequest.MaxLimit)
                ? (int)(limit ?? SearchRequest.DefaultLimit)
                : throw JsonShape.Wrong("page.limit", $"a whole number from 1 to {SearchRequest.MaxLimit}"),
            After = string.IsNullOrEmpty(cursor) ? null : SearchPosition.Parse(cursor),
        };
        return request.From <= request.To
            ? request
            : throw new ApiError(
                StatusCodes.Status422UnprocessableEntity,
                "invalid_argument(Field 'filter.from,to' is invalid: 'from' should be anterior to 'to')"
            )
            {
                Form = ErrorForm.Objects,
            };
    }

    /// <summary>A text, or the number that may stand for one.</summary>
    private static string? Text(JsonElement? parent, string name, string path)
    {
        if (parent is not { } element || !element.TryGetProperty(name, out var value))
        {
            return null;
        }
        return value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => value.GetString(),
            _ => throw JsonShape.Wrong($"{path}.{name}", "a string"),
        };
    }

    private static string Milliseconds(long nanoseconds) =>
        (nanoseconds / NanosecondsPerMillisecond).ToString(CultureInfo.InvariantCulture);
}
