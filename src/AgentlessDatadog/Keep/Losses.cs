namespace AgentlessDatadog;

/// <summary>
/// What expired and nobody has been told about yet. Once a lane's far end is back, one event tells it. Any thread.
/// </summary>
internal sealed class Losses(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Lane Lane, string Destination), Loss> _losses = [];

    private sealed record Loss(long Units, DateTimeOffset From, DateTimeOffset To, string Reason, bool IsBack);

    /// <summary>Some requests have expired. What holds no unit of the ledger is no loss.</summary>
    public void Add(IEnumerable<PayloadHeader> headers, string reason)
    {
        lock (_lock)
        {
            foreach (var header in headers.Where(header => header.Units > 0))
            {
                var key = (header.Lane, header.Destination);
                var before =
                    _losses.GetValueOrDefault(key) ?? new Loss(0, header.Oldest, header.Oldest, reason, IsBack: false);
                _losses[key] = before with
                {
                    Units = before.Units + header.Units,
                    From = before.From < header.Oldest ? before.From : header.Oldest,
                    To = before.To > header.Oldest ? before.To : header.Oldest,
                    IsBack = false,
                };
            }
        }
    }

    /// <summary>The far end takes what the lane sends.</summary>
    public void Back(Lane lane, string destination)
    {
        lock (_lock)
        {
            if (_losses.TryGetValue((lane, destination), out var loss) && !loss.IsBack)
                _losses[(lane, destination)] = loss with { IsBack = true };
        }
    }

    /// <summary>One event about all that can be told to a far end, or null; <see cref="Forget"/> ends it.</summary>
    /// <param name="destination">The far end.</param>
    /// <param name="all">Whether also to tell where the far end is not back: a process that ends knows it no more.</param>
    public (DatadogEvent Event, Action Forget)? Tell(string destination, bool all)
    {
        lock (_lock)
        {
            var told = _losses.Where(l => l.Key.Destination == destination && (all || l.Value.IsBack)).ToList();
            if (told.Count == 0)
                return null;
            var what = string.Join(" and ", told.Select(l => $"{l.Value.Units} {Name(l.Key.Lane)}"));
            var text = string.Join("\n", told.Select(l => Sentence(l.Key.Lane, l.Value)));
            var said = new DatadogEvent($"{what} were lost", text, clock.GetUtcNow())
            {
                Alert = AlertType.Error,
                AggregationKey = "telemetry lost",
            };
            return (said, () => Forget(told));
        }
    }

    // What expired meanwhile belongs to the next event.
    private void Forget(List<KeyValuePair<(Lane Lane, string Destination), Loss>> told)
    {
        lock (_lock)
        {
            foreach (var (key, loss) in told)
            {
                var rest = _losses[key].Units - loss.Units;
                if (rest == 0)
                    _losses.Remove(key);
                else
                    _losses[key] = _losses[key] with { Units = rest };
            }
        }
    }

    private static string Sentence(Lane lane, Loss loss) =>
        $"{loss.Units} {Name(lane)} from {loss.From:yyyy-MM-dd HH:mm:ss} to {loss.To:yyyy-MM-dd HH:mm:ss} UTC could not be "
        + $"delivered in time and were given up: {loss.Reason}.";

    private static string Name(Lane lane) =>
        lane switch
        {
            Lane.Metrics => "points",
            Lane.Distributions => "distribution points",
            _ => "events",
        };
}
