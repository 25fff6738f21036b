using System.Globalization;
using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Delivery;

/// <summary>What came back for a request, judged here and nowhere else (docs/reference/datadog.md §2.3, §2.4).</summary>
/// <param name="Verdict">What it means.</param>
/// <param name="Status">HTTP status, or null when nothing came back.</param>
/// <param name="Words">The server's words, or what went wrong; null when it was delivered.</param>
/// <param name="AskedFor">How long the server wants to be left alone.</param>
internal sealed record IntakeResponse(Verdict Verdict, int? Status, string? Words, TimeSpan? AskedFor)
{
    private const int MaxWords = 200;

    /// <summary>
    /// Nothing says whether it arrived: the body was handed over and no answer came, or a gateway answered that it had
    /// none itself.
    /// </summary>
    public bool IsUncertain { get; init; }

    /// <summary>The time of day by whoever wrote the answer, or null when it does not say.</summary>
    public DateTimeOffset? At { get; init; }

    public static IntakeResponse None(string why) => new(Verdict.Wait, null, why, null);

    public static IntakeResponse Read(HttpResponseMessage response, string body, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        var errors = Errors(body);
        // Datadog says why it refuses; an empty refusal is somebody else's.
        var isEmpty = response.IsSuccessStatusCode && string.IsNullOrWhiteSpace(body);
        var verdict = Judge(response.StatusCode, isEmpty || errors is not null);
        var words = verdict switch
        {
            Verdict.Delivered => null,
            Verdict.NotDatadog => $"{status}{(errors is null ? " and no JSON" : "")}: this is not Datadog's answer",
            _ => $"{status}: {(string.IsNullOrEmpty(errors) ? response.ReasonPhrase : Shorten(errors))}",
        };
        return new IntakeResponse(verdict, status, words, AskedForBy(response, now))
        {
            IsUncertain = IsGateways(response.StatusCode),
            At = response.Headers.Date,
        };
    }

    /// <summary>Its head came and its body did not: the status says no more than whether it may have arrived.</summary>
    public static IntakeResponse Torn(HttpResponseMessage response, string why, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        return new IntakeResponse(Verdict.Wait, status, $"{status}: {why}", AskedForBy(response, now))
        {
            IsUncertain = response.IsSuccessStatusCode || IsGateways(response.StatusCode),
        };
    }

    private static bool IsGateways(HttpStatusCode status) =>
        status is HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;

    private static Verdict Judge(HttpStatusCode status, bool isDatadog) =>
        status switch
        {
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError =>
                Verdict.Wait,
            // An intermediary with a smaller limit is in the way of this request alone.
            HttpStatusCode.RequestEntityTooLarge => Verdict.Bad,
            _ when !isDatadog => Verdict.NotDatadog,
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => Verdict.Delivered,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Verdict.Refused,
            HttpStatusCode.BadRequest => Verdict.Bad,
            _ => Verdict.NotDatadog,
        };

    // A list of texts or of objects, whatever the content type says. Null: this is not JSON.
    private static string? Errors(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var errors = default(JsonElement);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                json.RootElement.TryGetProperty("errors", out errors);
            return errors.ValueKind == JsonValueKind.Array
                ? string.Join("; ", errors.EnumerateArray().Select(Error))
                : "";
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Error(JsonElement error)
    {
        if (error.ValueKind != JsonValueKind.Object)
            return error.ToString();
        return error.TryGetProperty("detail", out var detail) ? detail.ToString()
            : error.TryGetProperty("title", out var title) ? title.ToString()
            : error.GetRawText();
    }

    private static TimeSpan? AskedForBy(HttpResponseMessage response, DateTimeOffset now)
    {
        // A date is by the clock of whoever wrote it, which ours may differ from.
        var date = response.Headers.RetryAfter?.Date - (response.Headers.Date ?? now);
        return new[] { date, Seconds(response, "Retry-After"), Seconds(response, "X-RateLimit-Reset") }.Max();
    }

    private static TimeSpan? Seconds(HttpResponseMessage response, string header) =>
        response.Headers.TryGetValues(header, out var values)
        && double.TryParse(values.First(), CultureInfo.InvariantCulture, out var seconds)
        && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue))
            : null;

    private static string Shorten(string text) => text.Length <= MaxWords ? text : text[..MaxWords] + "…";
}
