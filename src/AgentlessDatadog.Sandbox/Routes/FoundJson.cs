using System.Globalization;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>What everything that a search finds is written with.</summary>
internal static class FoundJson
{
    /// <summary>Text that says nothing to whoever reads it, as Datadog's.</summary>
    public static string IdOf(IStored stored) => $"AQ{stored.Sequence:X16}";

    /// <summary>ISO 8601 to the millisecond, of nanoseconds since 1970.</summary>
    public static string TimeOf(long nanoseconds) =>
        DateTimeOffset
            .FromUnixTimeMilliseconds(nanoseconds / 1_000_000)
            .ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
