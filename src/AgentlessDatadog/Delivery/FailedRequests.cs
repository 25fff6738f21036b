using System.Globalization;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Delivery;

/// <summary>
/// The requests of a lane that have failed and are not settled yet. While there is one the lane is in trouble, whatever else gets
/// through. One that fails again and again while others get through fails because of itself, and is named. Any thread.
/// </summary>
internal sealed class FailedRequests(Outbox outbox, TimeProvider clock)
{
    // So often that it is no chance any more.
    private const int Enough = 5;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, Failed> _failed = [];
    private string? _destination;
    private DateTimeOffset _since;
    private IntakeResponse _last = IntakeResponse.None("");

    // Requests of the lane that have got through.
    private long _passed;

    /// <param name="Header">The request.</param>
    /// <param name="Times">How often it has failed since another got through.</param>
    /// <param name="Passed">How many had got through when it failed last.</param>
    /// <param name="Error">What was said then.</param>
    private sealed record Failed(RequestHeader Header, int Times, long Passed, string Error);

    /// <summary>What has failed and is not settled, or null when all is.</summary>
    public LaneFailure? Current
    {
        get
        {
            lock (_lock)
            {
                Forget(id => !outbox.Holds(id));
                return _failed.Count == 0
                    ? null
                    : new LaneFailure(
                        _since,
                        _failed.Count,
                        _last.Error ?? "",
                        _last.Verdict,
                        _last.Status,
                        _failed.Values.FirstOrDefault(failed => failed.Times >= Enough) is { } alone
                            ? Named(alone)
                            : null
                    );
            }
        }
    }

    /// <summary>A request has failed, and is sent again.</summary>
    public void Add(RequestHeader header, IntakeResponse response)
    {
        lock (_lock)
        {
            // It was under way to another destination while that changed.
            if (header.Destination != _destination)
            {
                return;
            }
            Forget(id => !outbox.Holds(id));
            if (_failed.Count == 0)
            {
                _since = clock.GetUtcNow();
            }
            var before = _failed.GetValueOrDefault(header.Id);
            // Twice in an outage, in which nothing got through, is once.
            var times = before is null || before.Passed < _passed ? (before?.Times ?? 0) + 1 : before.Times;
            _failed[header.Id] = new Failed(header, times, _passed, response.Error ?? "");
            _last = response;
        }
    }

    /// <summary>A request has got through.</summary>
    public void Pass()
    {
        lock (_lock)
        {
            _passed++;
        }
    }

    /// <summary>Whatever failed at another destination says nothing about this one.</summary>
    public void Keep(string destination)
    {
        lock (_lock)
        {
            _destination = destination;
            Forget(id => _failed[id].Header.Destination != destination);
        }
    }

    private void Forget(Predicate<long> which)
    {
        lock (_lock)
        {
            foreach (var id in _failed.Keys.Where(id => which(id)).ToList())
            {
                _failed.Remove(id);
            }
        }
    }

    private string Named(Failed failed)
    {
        var (header, times, _, error) = failed;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Request {header.Id} with {header.Units} {header.Lane.Unit} of {header.Oldest.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC has "
                + $"failed {times} times while others got through: {error}. It is sent again until "
                + $"{outbox.Age.ExpiryOf(header).UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, and given up then."
        );
    }
}
