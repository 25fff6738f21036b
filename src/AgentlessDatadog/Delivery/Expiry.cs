using System.Globalization;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Delivery;

/// <summary>Gives up what is too old or has no room, and tells beforehand what that will be. Belongs to the loop.</summary>
internal sealed class Expiry(Outbox outbox, Warnings warnings, ILogger logger)
{
    // Of the room for requests, from which on there is something to tell.
    private const double NearlyFull = 0.8;

    public async Task LookAsync(long maxBytes)
    {
        try
        {
            await outbox.ExpireAsync(maxBytes).ConfigureAwait(false);
        }
        // What could not be given up waits for the next flush.
        catch (Exception error)
        {
            logger.LogError(error, "Old requests could not be taken out of the queue");
        }
        foreach (var lane in Lane.All)
        {
            warnings.Set(WarningKind.Age, $"age of {lane}", Old(lane));
        }

        warnings.Set(WarningKind.Room, "queue", Full(outbox.Bytes, maxBytes));
    }

    /// <summary>After each commit: tells that the room gets short, and makes room where there is none.</summary>
    public Task LookAtRoomAsync(long maxBytes)
    {
        warnings.Set(WarningKind.Room, "queue", Full(outbox.Bytes, maxBytes));
        return outbox.Bytes > maxBytes ? LookAsync(maxBytes) : Task.CompletedTask;
    }

    private string? Old(Lane lane)
    {
        if (outbox.Expiring(lane) is not { } next)
        {
            return null;
        }

        var at = next.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return $"{next.Units} {lane.Unit} have waited for more than half of the time for which Datadog takes "
            + $"them; the first are given up at {at} UTC.";
    }

    private static string? Full(long bytes, long maxBytes) =>
        bytes > maxBytes * NearlyFull
            ? $"The queue holds {bytes} of {maxBytes} bytes: beyond that the oldest requests are given up."
            : null;
}
