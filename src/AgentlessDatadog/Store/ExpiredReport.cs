using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store;

/// <summary>
/// What expired and nobody has been told about yet. Once a lane's far end is back, one event tells it. Any thread.
/// </summary>
internal sealed class ExpiredReport(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Lane Lane, string Destination), Loss> _losses = [];
    private readonly HashSet<(Lane Lane, string Destination)> _back = [];

    /// <summary>What the end of requests loses: one entry for each lane and far end. What holds no unit is no loss.</summary>
    public static IReadOnlyList<Loss> Of(IEnumerable<RequestHeader> headers, string reason) =>
        Sum(
            headers
                .Where(header => header.Units > 0)
                .Select(h => new Loss(h.Lane, h.Destination, h.Units, h.Oldest, h.Oldest, reason))
        );

    /// <summary>Adds up those of the same lane and far end, and leaves out what comes to nothing.</summary>
    public static IReadOnlyList<Loss> Sum(IEnumerable<Loss> losses) =>
        [
            .. losses
                .GroupBy(loss => (loss.Lane, loss.Destination))
                .Select(same => same.Aggregate((sum, next) => sum.Plus(next)))
                .Where(sum => sum.Units != 0),
        ];

    /// <summary>Takes what expired, or with units below zero what has been told.</summary>
    public void Add(IReadOnlyList<Loss> losses)
    {
        lock (_lock)
        {
            foreach (var loss in losses)
            {
                var key = (loss.Lane, loss.Destination);
                if (loss.Units > 0)
                {
                    _back.Remove(key);
                }

                _losses[key] = _losses.TryGetValue(key, out var before) ? before.Plus(loss) : loss;
                if (_losses[key].Units == 0)
                {
                    _losses.Remove(key);
                }
            }
        }
    }

    /// <summary>The far end takes what the lane sends.</summary>
    public void Back(Lane lane, string destination)
    {
        lock (_lock)
        {
            if (_losses.ContainsKey((lane, destination)))
            {
                _back.Add((lane, destination));
            }
        }
    }

    /// <summary>
    /// One event about all that can be told to a far end, or null, and what is to be added when the event is kept.
    /// </summary>
    /// <param name="destination">The far end.</param>
    /// <param name="all">Whether also to tell where the far end is not back: a process that ends knows it no more.</param>
    public (IReadOnlyList<Loss> Reported, DatadogEvent? Event) Tell(string destination, bool all)
    {
        lock (_lock)
        {
            List<Loss> losses =
            [
                .. _losses
                    .Where(l => l.Key.Destination == destination && (all || _back.Contains(l.Key)))
                    .Select(l => l.Value),
            ];
            if (losses.Count == 0)
            {
                return ([], null);
            }

            var what = EventText.Join(
                " and ",
                losses.Select<Loss, EventText>(loss => $"{loss.Units} {loss.Lane.Unit}")
            );
            var said = new DatadogEvent(
                $"{what} were lost",
                EventText.Join("\n", losses.Select(Sentence)),
                clock.GetUtcNow()
            )
            {
                Alert = AlertType.Error,
                AggregationKey = "telemetry lost",
            };
            return ([.. losses.Select(loss => loss with { Units = -loss.Units })], said);
        }
    }

    private static EventText Sentence(Loss loss) =>
        $"{loss.Units} {loss.Lane.Unit} from {loss.From:yyyy-MM-dd HH:mm:ss} to {loss.To:yyyy-MM-dd HH:mm:ss} UTC could not be "
        + $"delivered in time and were given up: {loss.Reason}.";
}
