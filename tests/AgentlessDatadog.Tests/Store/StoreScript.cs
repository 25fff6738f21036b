using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Tests.Store;

/// <summary>
/// A pipeline's day as a row of steps, the same for a seed at any time and in any process. A step does to a store
/// what it does to any other, so that a <see cref="MemoryStore"/> can say what must be in a file.
/// </summary>
internal sealed class StoreScript(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<long> _outbox = [];
    private long _second = 1_700_000_000;
    private long _sequence;
    private long _flushSequence;
    private long _payload;
    private int _key;

    public Func<ITelemetryStore, ValueTask> Next()
    {
        _second += _random.Next(3);
        switch (_random.Next(10))
        {
            case < 6:
                var arrivals = Arrive();
                return store => store.AppendAsync(arrivals, CancellationToken.None);
            case < 8:
                var flush = Flush();
                return store => store.FlushAsync(flush, CancellationToken.None);
            default:
                var settlement = Settle();
                return store => store.SettleAsync(settlement, CancellationToken.None);
        }
    }

    private JournalAppend Arrive()
    {
        var measurements = Enumerable.Range(0, _random.Next(5)).Select(_ => Measure()).ToList();
        var keys = Enumerable.Range(0, _random.Next(4)).Select(_ => ++_key).ToArray();
        return new JournalAppend(
            new JournalEntry(++_sequence, _random.Next(2) == 0 ? "datadog" : "sandbox", measurements),
            Payloads(2, 300),
            Sample.Keys(_second, keys),
            [Sample.Accepted(measurements.Count), new(Lane.Events, Account.Queued, _random.Next(3))]
        )
        {
            Positions = _random.Next(2) == 0 ? [] : [new($"log-{_random.Next(3)}", _sequence)],
            Types =
                _random.Next(2) == 0
                    ? []
                    : [new($"item-{_sequence}", MetricType.Count, DateTimeOffset.FromUnixTimeSeconds(_second))],
            ReleasedNames = _random.Next(4) == 0 ? [$"item-{_sequence - _random.Next(1, 4)}"] : [],
        };
    }

    private JournalFlush Flush()
    {
        _flushSequence += _random.NextInt64(_sequence - _flushSequence + 1);
        return new JournalFlush(_second, _flushSequence, Payloads(4, 20_000), [Sample.Accepted(1)], _second - 20)
        {
            Reported = _random.Next(3) == 0 ? [Sample.Lost(-_random.Next(1, 3), _second)] : [],
        };
    }

    private Settlement Settle()
    {
        List<long> gone = [];
        for (var left = _random.Next(4); left > 0 && _outbox.Count > 0; left--)
        {
            var at = _random.Next(_outbox.Count);
            gone.Add(_outbox[at]);
            _outbox.RemoveAt(at);
        }
        var reason = _random.Next(2) == 0 ? null : $"status {_random.Next(400, 404)}";
        return new Settlement(gone, [new(Lane.Metrics, (Account)_random.Next(1, 6), gone.Count, reason)])
        {
            Lost = _random.Next(2) == 0 ? [Sample.Lost(_random.Next(1, 3), _second - _random.Next(9))] : [],
            Added = Payloads(3, 5_000),
        };
    }

    private QueuedRequest[] Payloads(int most, int size)
    {
        QueuedRequest[] made =
        [
            .. Enumerable.Range(0, _random.Next(most)).Select(_ => Sample.Request(++_payload, _random.Next(size))),
        ];
        _outbox.AddRange(made.Select(payload => payload.Header.Id));
        return made;
    }

    private Measurement Measure() =>
        new(
            $"app.metric{_random.Next(4)}",
            (MetricType)_random.Next(4),
            _random.NextDouble(),
            [.. Enumerable.Range(0, _random.Next(3)).Select(_ => $"tag:{_random.Next(5)}")]
        )
        {
            Unit = _random.Next(3) == 0 ? "second" : null,
            Timestamp = _random.Next(3) == 0 ? DateTimeOffset.FromUnixTimeSeconds(_second) : null,
            IsItem = _random.Next(2) == 0,
        };
}
