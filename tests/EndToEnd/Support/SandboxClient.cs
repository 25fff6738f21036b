using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace EndToEnd.Support;

/// <summary>One series of an answer: its tags, and its values by second.</summary>
public sealed record QueriedSeries(IReadOnlyList<string> Tags, IReadOnlyList<(long Second, double Value)> Points);

/// <summary>Asks the sandbox as any Datadog client would.</summary>
public sealed class SandboxClient : IDisposable
{
    private readonly HttpClient _http;

    public SandboxClient(Uri address)
    {
        _http = TestRun.NewClient(address);
        _http.DefaultRequestHeaders.Add("DD-API-KEY", Secret.ApiKey);
        _http.DefaultRequestHeaders.Add("DD-APPLICATION-KEY", Secret.AppKey);
    }

    public async Task<IReadOnlyList<QueriedSeries>> QueryAsync(string query, DateTimeOffset from, DateTimeOffset to)
    {
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/api/v1/query?from={from.ToUnixTimeSeconds()}&to={to.ToUnixTimeSeconds()}&query={Uri.EscapeDataString(query)}"
        );
        using var answer = await _http.GetAsync(path);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return answer.IsSuccessStatusCode
            ? [.. json.GetProperty("series").EnumerateArray().Select(Series)]
            : throw new InvalidOperationException($"{query}: {json}");
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(path);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async Task<JsonElement> EventsAsync(DateTimeOffset from, DateTimeOffset to) =>
        (
            await GetAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"/api/v1/events?start={from.ToUnixTimeSeconds()}&end={to.ToUnixTimeSeconds()}"
                )
            )
        ).GetProperty("events");

    public void Dispose() => _http.Dispose();

    private static QueriedSeries Series(JsonElement series) =>
        new(
            [.. series.GetProperty("tag_set").EnumerateArray().Select(t => t.GetString()!)],
            [
                .. series
                    .GetProperty("pointlist")
                    .EnumerateArray()
                    .Where(p => p[1].ValueKind == JsonValueKind.Number)
                    .Select(p => ((long)(p[0].GetDouble() / 1000), p[1].GetDouble())),
            ]
        );
}
