using System.Globalization;
using System.Net;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Delivery;

/// <summary>What came back for a request, judged here and nowhere else (docs/reference/datadog.md §2.3, §2.4).</summary>
/// <param name="Verdict">What it means.</param>
/// <param name="Status">HTTP status, or null when nothing came back.</param>
/// <param name="Error">The server's words, or what went wrong; null when all of it was delivered.</param>
/// <param name="AskedFor">How long the server wants to be left alone.</param>
internal sealed record IntakeResponse(Verdict Verdict, int? Status, string? Error, TimeSpan? AskedFor)
{
    private const int MaxError = 200;

    /// <summary>
    /// Nothing says whether it arrived: the body was handed over and no answer came, or a gateway answered that it had
    /// none itself.
    /// </summary>
    public bool IsUncertain { get; init; }

    /// <summary>There is no such route, or no such host.</summary>
    public bool IsAbsent { get; init; }

    /// <summary>It may be that only the way in which the request was compressed is not taken.</summary>
    public bool RefusesEncoding { get; init; }

    /// <summary>Units of a delivered request that were not taken, for the reason in its words.</summary>
    public long Rejected { get; init; }

    /// <summary>Whether the request was too large for whoever answered.</summary>
    public bool IsTooLarge => Status == (int)HttpStatusCode.RequestEntityTooLarge;

    /// <summary>Whether the lane has to wait until something is mended, and not only for a while.</summary>
    public bool Parks(Lane lane) =>
        Verdict is Verdict.Refused or Verdict.NotDatadog || (Verdict == Verdict.Wait && IsAbsent && !lane.IsEverywhere);

    /// <summary>The time of day by whoever wrote the answer, or null when it does not say.</summary>
    public DateTimeOffset? At { get; init; }

    public static IntakeResponse None(string why) => new(Verdict.Wait, null, why, null);

    /// <summary>Judges an answer that came whole.</summary>
    /// <param name="response">Its head.</param>
    /// <param name="body">Its body.</param>
    /// <param name="now">The time of day.</param>
    /// <param name="redact">Takes out of its words what must not be repeated.</param>
    public static IntakeResponse Read(
        HttpResponseMessage response,
        ReadOnlyMemory<byte> body,
        DateTimeOffset now,
        Func<string, string> redact
    )
    {
        var status = (int)response.StatusCode;
        var isSuccess = response.IsSuccessStatusCode;
        var answer = IntakeAnswer.Read(response.Content.Headers.ContentType?.MediaType, body, isSuccess);
        // Datadog says why it refuses; an empty refusal is somebody else's.
        var isEmpty = isSuccess && body.Span.IndexOfAnyExcept(" \r\n\t"u8) < 0;
        var verdict = Judge(response.StatusCode, isEmpty || answer is not null);
        if (verdict == Verdict.Delivered && answer is { IsError: true })
        {
            // It was heard, and not taken: sent again, it would be answered the same.
            verdict = Verdict.Bad;
        }

        var said = redact(answer?.Error ?? "");
        var words = verdict switch
        {
            Verdict.Delivered when answer is not { Rejected: > 0 } => null,
            Verdict.NotDatadog =>
                $"{Line(response)}{(answer is null ? " and no JSON" : "")}: this is not Datadog's answer",
            _ when said.Length == 0 || said == response.ReasonPhrase => Line(response),
            _ => $"{Line(response)}: {Shorten(said)}",
        };
        return new IntakeResponse(verdict, status, words, AskedForBy(response, now))
        {
            IsUncertain = IsGateways(response.StatusCode),
            IsAbsent = response.StatusCode == HttpStatusCode.NotFound,
            RefusesEncoding =
                response.StatusCode == HttpStatusCode.UnsupportedMediaType
                || (
                    !isSuccess
                    && verdict == Verdict.Bad
                    && said.Contains("encoding", StringComparison.OrdinalIgnoreCase)
                ),
            Rejected = verdict == Verdict.Delivered ? Math.Max(0, answer?.Rejected ?? 0) : 0,
            At = response.Headers.Date,
        };
    }

    /// <summary>Its head came and its body did not: the status says no more than whether it may have arrived.</summary>
    public static IntakeResponse Torn(HttpResponseMessage response, string why, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        return new IntakeResponse(Verdict.Wait, status, $"{Line(response)}: {why}", AskedForBy(response, now))
        {
            IsUncertain = response.IsSuccessStatusCode || IsGateways(response.StatusCode),
        };
    }

    // As everyone looks for it: "403 Forbidden".
    private static string Line(HttpResponseMessage response) =>
        $"{(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd();

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

    private static string Shorten(string text) => text.Length <= MaxError ? text : text[..MaxError] + "…";
}
