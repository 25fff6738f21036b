using System.Globalization;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>What was stored while nobody listened, as it is read back. One writer; numbers are read from any thread.</summary>
/// <param name="begun">When the gap ended and the reading began, by our clock.</param>
internal sealed class BackfillGap(DateTimeOffset begun)
{
    private DateTimeOffset? _goneAfter;
    private DateTimeOffset? _goneBefore;
    private ulong _gone;

    /// <summary>When the reading began.</summary>
    public DateTimeOffset Begun => begun;

    /// <summary>Sequences behind us.</summary>
    public ulong Done { get; set; }

    /// <summary>Sequences in all.</summary>
    public ulong Total { get; set; }

    /// <summary>Messages that were taken in and had not been heard.</summary>
    public long Taken { get; set; }

    /// <summary>True when the stream is not the one of which we knew.</summary>
    public bool Anew { get; set; }

    /// <summary>True when something cannot be read back any more.</summary>
    public bool Lost => Anew || _gone > 0;

    /// <summary>Counts sequences of which the stream has nothing any more, stored between the two times.</summary>
    public void AddLost(ulong count, DateTimeOffset? after, DateTimeOffset? before)
    {
        if (count > 0)
        {
            _goneAfter ??= after;
            _goneBefore = before ?? _goneBefore;
            _gone += count;
        }
    }

    /// <summary>What there is to tell of it, in clauses; none when nothing was missed.</summary>
    /// <param name="keeps">How long the stream keeps a message; zero for ever.</param>
    public IEnumerable<string> Story(TimeSpan keeps)
    {
        if (Anew)
        {
            yield return "the stream is a new one, and what only the former one had is lost";
        }
        if (Taken > 0)
        {
            yield return $"missed messages read back: {Taken}";
        }
        if (_gone > 0)
        {
            var limit = keeps > TimeSpan.Zero ? $" (it keeps messages for {keeps.TotalHours:0.###} h)" : "";
            yield return $"missed messages gone from the stream{limit}: {_gone}, copies included"
                + Text("stored after", _goneAfter)
                + Text("before", _goneBefore);
        }
    }

    private static string Text(string word, DateTimeOffset? time) =>
        time is { } known ? $", {word} {known.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}" : "";
}
