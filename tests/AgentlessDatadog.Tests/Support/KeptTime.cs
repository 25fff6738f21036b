using System.Net;
using System.Text;

namespace AgentlessDatadog.Tests.Support;

/// <summary>
/// A Datadog in memory whose clock is right, whatever this machine's says: it drops what its clock does not let in behind
/// a 202, as the real one does, and adds up the rest.
/// </summary>
internal sealed class KeptTime(SettableClock clock) : HttpMessageHandler
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Key, long Second), (double Value, string Body)> _points = [];
    private int _overwritten;

    /// <summary>Whether anyone gets through to it.</summary>
    public bool IsReachable { get; set; } = true;

    /// <summary>Every request waits for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Sum of all points that it has of a metric.</summary>
    public double Sum(string metric)
    {
        lock (_lock)
        {
            return _points.Where(p => p.Key.Key.StartsWith(metric, StringComparison.Ordinal)).Sum(p => p.Value.Value);
        }
    }

    /// <summary>Seconds of a metric's points.</summary>
    public IReadOnlyList<long> Seconds(string metric)
    {
        lock (_lock)
        {
            return
            [
                .. _points
                    .Keys.Where(p => p.Key.StartsWith(metric, StringComparison.Ordinal))
                    .Select(p => p.Second)
                    .Order(),
            ];
        }
    }

    /// <summary>Points of which another request brought a second value.</summary>
    public int Overwritten
    {
        get
        {
            lock (_lock)
            {
                return _overwritten;
            }
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (!IsReachable)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, "nobody is there");
        }

        await Gate;
        if (request is { Content: { } content, RequestUri.AbsolutePath: "/api/v2/series" })
        {
            Take(await content.ReadAsByteArrayAsync(cancellationToken), content.Headers.ContentEncoding.Single());
        }

        return new HttpResponseMessage(HttpStatusCode.Accepted)
        {
            Content = new StringContent("""{"errors":[]}""", Encoding.UTF8, "application/json"),
            Headers = { Date = clock.Truth },
        };
    }

    private void Take(byte[] body, string encoding)
    {
        var (now, bytes) = (clock.Truth.ToUnixTimeSeconds(), Convert.ToBase64String(body));
        lock (_lock)
        {
            foreach (var series in WireReader.ReadPayload(PayloadCheck.Unpack(encoding, body)))
            {
                var point = series.Points.Single();
                if (point.Second < now - 3600 || point.Second > now + 600)
                {
                    continue;
                }

                if (_points.TryGetValue((series.Key, point.Second), out var before) && before.Body != bytes)
                {
                    _overwritten++;
                }

                _points[(series.Key, point.Second)] = (point.Value, bytes);
            }
        }
    }
}
