using System.Globalization;
using System.Net;
using StreamSpace.PluginHost.Web;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>
/// Tells whoever guesses to wait: after thirty refusals of one address in a minute the answer is 429. Whoever comes with
/// a good token is never held up, for behind a proxy all callers share one address.
/// </summary>
internal sealed class FailedSignIns(TimeProvider clock)
{
    private const int Most = 30;
    private const int MostAddresses = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _failures = [];
    private DateTimeOffset _since = clock.GetUtcNow();

    /// <summary>Counts a refusal; the answer to give in its place, or null while there were not too many.</summary>
    public IResult? Count(HttpContext http)
    {
        if (Count(http.Connection.RemoteIpAddress ?? IPAddress.None) is not { } wait)
        {
            return null;
        }
        var seconds = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers.RetryAfter = seconds;
        return Problem.Of(
            StatusCodes.Status429TooManyRequests,
            $"Too many sign-ins from here were refused: try again in {seconds} s."
        );
    }

    private TimeSpan? Count(IPAddress address)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            if (now >= _since + Window)
            {
                // All at once: that bounds the memory too.
                _failures.Clear();
                _since = now;
            }
            var failures = _failures.GetValueOrDefault(address) + 1;
            if (_failures.Count < MostAddresses || _failures.ContainsKey(address))
            {
                _failures[address] = failures;
            }
            return failures > Most ? _since + Window - now : null;
        }
    }
}
