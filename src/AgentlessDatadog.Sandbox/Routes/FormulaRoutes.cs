using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>
/// Formulas over queries, as a widget holds them: <c>POST /api/v2/query/timeseries</c> and <c>/scalar</c>
/// (docs/reference/datadog.md §8.7).
/// </summary>
internal sealed class FormulaRoutes(
    ApiKeys keys,
    MetricStore metrics,
    AssetStore configurations,
    ArrivalStore<StoredEvent> events,
    ArrivalStore<StoredSpan> spans,
    ArrivalStore<StoredLog> logs
)
{
    private const int MaxBytes = 256 * 1024;
    private const long Milliseconds = 1_000;
    private const string Time = "a time in milliseconds";
    private const double DefaultBins = 20;
    private const double MaxBins = 200;

    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var type in (string[])["timeseries", "scalar"])
        {
            routes
                .MapPost(
                    $"/api/v2/query/{type}",
                    async (HttpContext context) =>
                    {
                        keys.RequireBothKeys(context.Request);
                        var body = await SmallBody.ReadAsync(context, MaxBytes);
                        await AnswerAsync(context, FormulaRequest.Read(body, type, []), type);
                    }
                )
                .OnlyReads();
            // The page asks without keys, at a path of its own, and leaves template variables as they are in the dashboard.
            routes
                .MapPost(
                    $"/sandbox/query/{type}",
                    async (HttpContext context) =>
                    {
                        var body = await SmallBody.ReadAsync(context, MaxBytes);
                        var variables = TemplateVariables.Of(body);
                        await AnswerAsync(context, FormulaRequest.Read(WithoutVariables(body), type, variables), type);
                    }
                )
                .OnlyReads();
        }
        routes.MapPost("/sandbox/query/histogram", HistogramAsync).OnlyReads();
    }

    private static JsonElement WithoutVariables(JsonElement json)
    {
        var body = JsonObject.Create(json)!;
        body.Remove(TemplateVariables.Field);
        return JsonSerializer.SerializeToElement(body);
    }

    private async Task HistogramAsync(HttpContext context)
    {
        var body = await SmallBody.ReadAsync(context, MaxBytes);
        JsonShape.Integer(JsonShape.Required(body, "from", JsonValueKind.Number, "payload", Time), "payload.from");
        JsonShape.Integer(JsonShape.Required(body, "to", JsonValueKind.Number, "payload", Time), "payload.to");
        var text = TemplateVariables.Apply(
            JsonShape.RequiredText(body, "query", "payload"),
            TemplateVariables.Of(body)
        );
        if (ExpressionParser.Parse(text) is not Expression.Metric { Query: { Space: Aggregation.Histogram } query })
        {
            throw ApiError.BadRequest($"{text}: must be histogram: and a distribution");
        }
        var window = FormulaRequest.ReadWindow(body);
        var bins = (int)Math.Clamp(body.NumberOf("bins") ?? DefaultBins, 1, MaxBins);
        var spread = QueryEngine.Run(metrics, configurations, engine => engine.Spread(query, window, bins));
        await JsonResponse.OkAsync(
            context,
            new
            {
                bounds = spread.Bounds,
                times = spread.Times.Select(time => time * Milliseconds),
                counts = spread.Counts,
            }
        );
    }

    private async Task AnswerAsync(HttpContext context, FormulaRequest request, string type)
    {
        var isScalar = type == "scalar";
        var results = Evaluate(request, isScalar);
        await JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteStartObject("data");
                json.WriteString("id", "0");
                json.WriteString("type", $"{type}_response");
                json.WriteStartObject("attributes");
                if (isScalar)
                {
                    WriteColumns(json, request, results);
                }
                else
                {
                    WriteSeries(json, results);
                }
                json.WriteEndObject();
                json.WriteEndObject();
            }
        );
    }

    private List<Result> Evaluate(FormulaRequest request, bool isScalar) =>
        QueryEngine.Run(
            metrics,
            configurations,
            engine =>
            {
                var queries = request
                    .Queries.DistinctBy(query => query.Name)
                    .ToDictionary(query => query.Name, StringComparer.Ordinal);
                var known = new Dictionary<(string, QueryWindow), Result>();
                Result? Named(string name, QueryWindow window) =>
                    known.TryGetValue((name, window), out var answer) ? answer
                    : queries.TryGetValue(name, out var query)
                        ? known[(name, window)] = Answer(engine, query, window, isScalar)
                    : null;
                var results = request
                    .Formulas.Select(formula =>
                        Limited(engine.Evaluate(formula.Expression, request.Window, Named), formula)
                    )
                    .ToList();
                var times = results
                    .SelectMany(result => result.Series)
                    .SelectMany(series => series.Points)
                    .DistinctBy(point => point.Time)
                    .LongCount();
                // All series are told by the same times.
                engine.Spend(times * results.Sum(result => (long)result.Series.Count));
                return results;
            }
        );

    private Result Answer(QueryEngine engine, NamedQuery query, QueryWindow window, bool isScalar)
    {
        if (query.Metrics is { } expression)
        {
            return isScalar
                ? ScalarAggregator.Evaluate(engine, expression, query.Aggregator, window)
                : engine.Evaluate(expression, window);
        }
        ISearchable[] items = query.Source switch
        {
            "events" => events.Newest(),
            "logs" => logs.Newest(),
            _ => spans.Newest(),
        };
        engine.Spend(items.Length);
        return CountedItems.Of(items, query.Filter!, query.GroupBy, window with { IsOneBucket = isScalar });
    }

    /// <summary>As many series as are wanted, the greatest or the least means first.</summary>
    private static Result Limited(Result result, Formula formula)
    {
        var filled = result.Series.Where(series => series.Points.Count > 0);
        if (formula.Limit is not { } count)
        {
            return result with { Series = [.. filled] };
        }
        static double Mean(ResultSeries series) => series.Points.Average(point => point.Value);
        var ordered = formula.IsAscending ? filled.OrderBy(Mean) : filled.OrderByDescending(Mean);
        return result with { Series = [.. ordered.Take(count)] };
    }

    private static void WriteSeries(Utf8JsonWriter json, List<Result> results)
    {
        var all = results.SelectMany((result, index) => result.Series.Select(series => (series, index))).ToList();
        List<long> times = [.. all.SelectMany(one => one.series.Points).Select(point => point.Time).Distinct().Order()];
        json.WriteStartArray("series");
        foreach (var (series, index) in all)
        {
            json.WriteStartObject();
            json.WriteStrings("group_tags", series.TagSet);
            json.WriteNumber("query_index", index);
            QueryResponse.WriteUnit(json, series.Unit);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("times");
        foreach (var time in times)
        {
            json.WriteNumberValue(time * Milliseconds);
        }
        json.WriteEndArray();
        json.WriteStartArray("values");
        foreach (var (series, _) in all)
        {
            var values = series.Points.ToDictionary(point => point.Time, point => point.Value);
            json.WriteStartArray();
            foreach (var time in times)
            {
                QueryResponse.WriteValue(json, values.GetValueOrDefault(time, double.NaN));
            }
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static void WriteColumns(Utf8JsonWriter json, FormulaRequest request, List<Result> results)
    {
        // The order of the first formula, then whatever the others have besides.
        List<ResultSeries> rows = [.. results.SelectMany(result => result.Series).DistinctBy(series => series.Group)];
        var keys = rows.FirstOrDefault(row => row.TagSet.Count > 0)?.TagSet.Select(KeyOf) ?? [];
        json.WriteStartArray("columns");
        foreach (var (key, at) in keys.Select((key, at) => (key, at)))
        {
            json.WriteStartObject();
            json.WriteString("name", key);
            json.WriteString("type", "group");
            json.WriteStartArray("values");
            foreach (var row in rows)
            {
                json.WriteStartArray();
                if (at < row.TagSet.Count)
                {
                    json.WriteStringValue(row.TagSet[at][(key.Length + 1)..]);
                }
                json.WriteEndArray();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        foreach (var (formula, result) in request.Formulas.Zip(results))
        {
            var values = result.Series.ToDictionary(series => series.Group, series => series.Points[0].Value);
            json.WriteStartObject();
            json.WriteString("name", formula.Text);
            json.WriteString("type", "number");
            json.WriteStartArray("values");
            foreach (var row in rows)
            {
                QueryResponse.WriteValue(json, values.GetValueOrDefault(row.Group, double.NaN));
            }
            json.WriteEndArray();
            json.WriteStartObject("meta");
            QueryResponse.WriteUnit(json, result.Series is [var first, ..] ? first.Unit : null);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string KeyOf(string tag) => tag[..tag.IndexOf(':', StringComparison.Ordinal)];
}
