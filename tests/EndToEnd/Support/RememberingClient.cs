using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EndToEnd.Support;

/// <summary>
/// Sends metrics and events from several workers at once and remembers what was acknowledged. A call without an answer may have
/// been taken or not; one with an idempotency key is repeated until it is answered.
/// </summary>
public sealed class RememberingClient(HttpClient http, int seed)
{
    // One for all: a body that is sent again is the same.
    private readonly DateTimeOffset _created = TimeProvider.System.GetUtcNow();
    private readonly Lock _lock = new();

    /// <summary>Sum of the counts that were acknowledged, sent without a key.</summary>
    public long Plain { get; private set; }

    /// <summary>Sum of the counts without a key that were sent and never answered.</summary>
    public long PlainUnanswered { get; private set; }

    /// <summary>Sum of the counts with a key: every one is repeated until it is acknowledged.</summary>
    public long Keyed { get; private set; }

    /// <summary>Users whose creation was told: each is told again until it is acknowledged.</summary>
    public long Users { get; private set; }

    /// <summary>
    /// Answers that tell a client to give up although its call was good: all but 2xx, and 503 with <c>Retry-After</c>.
    /// </summary>
    public List<string> GaveUp { get; } = [];

    /// <summary>How often a call was put off: 503 with <c>Retry-After</c>.</summary>
    public long PutOff { get; private set; }

    /// <summary>For each worker the last gauge value acknowledged, and the last one sent.</summary>
    public Dictionary<int, (long Acknowledged, long Sent)> Gauges { get; } = [];

    /// <summary>Works until <paramref name="stop"/> fires; what was begun with a key is still brought to its end.</summary>
    public async Task WorkAsync(int worker, CancellationToken stop)
    {
        var chance = new Random(seed + worker);
        for (var number = 1; !stop.IsCancellationRequested; number++)
        {
            var value = chance.Next(1, 6);
            switch (number % 4)
            {
                case 0:
                    await SendPlainAsync(value);
                    break;
                case 1:
                    await SendKeyedAsync(value, $"{worker}-{number}");
                    break;
                case 2:
                    await TellAsync($"{worker}-{number}");
                    break;
                default:
                    await SendGaugeAsync(worker, number);
                    break;
            }
        }
    }

    private async Task SendPlainAsync(int value)
    {
        var taken = await SendAsync("kill.plain", value, "count", "how:plain", key: null);
        lock (_lock)
        {
            Plain += taken is true ? value : 0;
            PlainUnanswered += taken is null ? value : 0;
        }
    }

    private async Task SendKeyedAsync(int value, string key)
    {
        while (await SendAsync("kill.keyed", value, "count", "how:keyed", key) is not true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        lock (_lock)
        {
            Keyed += value;
        }
    }

    private async Task TellAsync(string user)
    {
        var body =
            $$$"""{"event":"user.created","timestamp":"{{{_created:O}}}","data":{"user_id":"{{{user}}}","username":"u{{{user}}}"}}""";
        while (await SendAsync("/api/events", body, key: null) is not true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        lock (_lock)
        {
            Users++;
        }
    }

    private async Task SendGaugeAsync(int worker, int number)
    {
        var taken = await SendAsync("kill.gauge", number, "gauge", $"worker:{worker}", key: null);
        lock (_lock)
        {
            var (acknowledged, sent) = Gauges.GetValueOrDefault(worker);
            Gauges[worker] = (taken is true ? number : acknowledged, taken is false ? sent : number);
        }
    }

    private Task<bool?> SendAsync(string metric, long value, string type, string tag, string? key) =>
        SendAsync(
            "/api/plugins/datadog/metrics",
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"metric":"{{metric}}","value":{{value}},"type":"{{type}}","tags":["{{tag}}"]}"""
            ),
            key
        );

    // True when acknowledged, false when certainly not taken, null when there was no answer.
    private async Task<bool?> SendAsync(string path, string body, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }
        try
        {
            using var answer = await http.SendAsync(request);
            var said = answer.IsSuccessStatusCode ? "" : await answer.Content.ReadAsStringAsync();
            lock (_lock)
            {
                if (answer is { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null })
                {
                    PutOff++;
                }
                else if (!answer.IsSuccessStatusCode)
                {
                    GaveUp.Add($"{path}: {answer.StatusCode} {said}");
                }
            }
            return answer.StatusCode == HttpStatusCode.Accepted;
        }
        catch (HttpRequestException refused) when (refused.HttpRequestError == HttpRequestError.ConnectionError)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            return false;
        }
        // The handler lets a socket's own exception through when the far end dies while it connects.
        catch (Exception cut) when (cut is HttpRequestException or SocketException or IOException)
        {
            return null;
        }
    }
}
