using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>Datadog's API with both keys, for one run. A 429 is waited out (docs/reference/datadog.md §2.5).</summary>
/// <param name="http">Has the address and the API key.</param>
/// <param name="secrets">The application key, and whatever else no error may show.</param>
/// <param name="clock">Runs while a 429 is waited out.</param>
internal sealed class AccountApi(HttpClient http, AccountSecrets secrets, TimeProvider clock)
{
    private const int MaxWords = 300;
    private const int MaxAnswer = 32 << 20;

    private static readonly TimeSpan TimeOut = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ResetUnknown = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestReset = TimeSpan.FromMinutes(5);

    public Task<JsonNode?> GetAsync(string path, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>The answer; null when there is none of what the path names.</summary>
    /// <exception cref="AccountException">It is refused, or nobody answers.</exception>
    public async Task<JsonNode?> AskAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var (status, text, reset) = await SendAsync(method, path, body, cancellationToken);
            if (status == HttpStatusCode.TooManyRequests)
            {
                await Task.Delay(reset, clock, cancellationToken);
                continue;
            }
            if (status == HttpStatusCode.NotFound)
            {
                return null;
            }
            var answer = Parsed(text, status);
            return (int)status is >= 200 and < 300 ? answer ?? new JsonObject() : throw Refused(status, answer);
        }
    }

    private async Task<(HttpStatusCode Status, string Text, TimeSpan Reset)> SendAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(method, path.TrimStart('/'));
        request.Headers.TryAddWithoutValidation("DD-APPLICATION-KEY", secrets.ApplicationKey);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        using var patience = new CancellationTokenSource(TimeOut, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            var text = await response.Content.ReadAsStringAsync(either.Token);
            return (response.StatusCode, text.Length > MaxAnswer ? "" : text, ResetOf(response));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreachable($"no answer within {TimeOut.TotalSeconds} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Unreachable(e.Message);
        }
    }

    private static TimeSpan ResetOf(HttpResponseMessage response)
    {
        var seconds =
            response.Headers.TryGetValues("X-RateLimit-Reset", out var values)
            && int.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var given)
                ? TimeSpan.FromSeconds(given)
                : ResetUnknown;
        return seconds > LongestReset ? LongestReset : seconds;
    }

    // What stands between us and Datadog answers in HTML.
    private JsonNode? Parsed(string text, HttpStatusCode status)
    {
        if (text.Length == 0)
        {
            return null;
        }
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            throw Unreachable($"what answered {(int)status} is not Datadog");
        }
    }

    private AccountException Refused(HttpStatusCode status, JsonNode? answer)
    {
        var words = Words(answer is JsonObject json ? json["errors"] ?? json["error"] : null);
        return new AccountException(
            secrets.Redact($"{(int)status}{(words.Length > 0 ? $": {words}" : "")}"),
            isRefused: status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        );
    }

    // A list of sentences, of objects that have them, or one alone.
    private static string Words(JsonNode? errors)
    {
        var words = errors switch
        {
            JsonArray list => string.Join("; ", list.Select(Words)),
            JsonObject one => $"{one["detail"] ?? one["title"]}",
            null => "",
            _ => errors.ToString(),
        };
        return words.Length > MaxWords ? $"{words.AsSpan(0, MaxWords)}…" : words;
    }

    private AccountException Unreachable(string why) => new(secrets.Redact(why), isUnreachable: true);
}
