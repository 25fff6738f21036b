using System.Globalization;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>How far a stream has been taken in: what the source keeps as its checkpoint.</summary>
/// <param name="Created">When the stream was made, which tells one from another of the same name; null when there was none.</param>
/// <param name="Sequence">Everything up to here is taken in.</param>
/// <param name="StoredAt">When the last message up to here was stored, by the server's clock; null when unknown.</param>
internal sealed record StreamPosition(DateTimeOffset? Created, ulong Sequence, DateTimeOffset? StoredAt)
{
    private const string Version = "1";
    private const string Unknown = "-";

    /// <summary>There was no stream: whatever is in one that appears came later.</summary>
    public static readonly StreamPosition NoStream = new(null, 0, null);

    /// <summary>As it is kept, such as <c>1 2026-03-02T08:00:00.0000000Z 42 2026-03-02T09:30:00.0000000Z</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Version} {Text(Created)} {Sequence} {Text(StoredAt)}");

    /// <summary>Reads what <see cref="ToString"/> wrote; null when it is something else.</summary>
    public static StreamPosition? Parse(string text) =>
        text.Split(' ') is [Version, var created, var sequence, var storedAt]
        && ulong.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && TryTime(created, out var createdAt)
        && TryTime(storedAt, out var stored)
            ? new StreamPosition(createdAt, number, stored)
            : null;

    private static string Text(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) ?? Unknown;

    private static bool TryTime(string text, out DateTimeOffset? time)
    {
        var known = Rfc3339.TryParse(text, out var parsed);
        time = known ? parsed : null;
        return known || text == Unknown;
    }
}
