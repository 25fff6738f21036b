using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.PluginHost.Commands;

/// <summary>The status document in about ten lines for people: the verdict, what is sent and waits, what is heard.</summary>
internal static class StatusText
{
    // Where the values begin.
    private const int Indent = 12;

    // Accounts of the ledger that stand for a loss, and what people call them.
    private static readonly (string Account, string Word)[] Losses =
    [
        ("rejected", "rejected"),
        ("expired", "expired"),
        ("uncertain", "uncertain"),
        ("overflowed", "summed up"),
    ];

    /// <param name="document">The host's, with the whole document of each plugin in it.</param>
    /// <param name="now">The time.</param>
    /// <param name="terminal">What shows it.</param>
    public static string Of(JsonObject document, DateTimeOffset now, Terminal terminal)
    {
        var lines = new List<string>();
        var (state, sentence, fix) = Verdict(document);
        var tone = state switch
        {
            "ok" => Tone.Good,
            "degraded" => Tone.Middling,
            _ => Tone.Bad,
        };
        lines.Add($"{terminal.Tell(tone, state.PadRight(Indent))}{terminal.Wrap(sentence, Indent)}");
        if (fix is not null)
        {
            lines.Add(Line("", $"→ {FirstLine(fix)}"));
        }
        foreach (var plugin in Objects(document["plugins"]))
        {
            lines.Add("");
            lines.AddRange(Plugin(plugin, sentence, now).Select(l => Line(l.Name, l.Text)));
        }
        lines.Add("");
        foreach (var source in Objects(document["sources"]))
        {
            lines.Add(Line("source", Source(source, now)));
        }
        lines.Add(
            Line(
                "host",
                $"{document["version"]}, up {Spoken(now - Time(document["startedAt"]))}, data in {document["dataFolder"]}"
            )
        );
        foreach (var text in (string[])["storeDamage", "storeWarning"])
        {
            if ((string?)document[text] is { } trouble)
            {
                lines.Add(Line("disk", trouble));
            }
        }
        return string.Join(Environment.NewLine, lines);

        string Line(string name, string text) => $"{name.PadRight(Indent)}{terminal.Wrap(text, Indent)}";
    }

    private static IEnumerable<(string Name, string Text)> Plugin(JsonObject plugin, string said, DateTimeOffset now)
    {
        var site = (string?)plugin["site"] is { } name ? $", site {name}" : "";
        yield return ("plugin", $"{plugin["displayName"]} {plugin["version"]}, {plugin["state"]}{site}");
        var lanes = Objects(plugin["lanes"]).ToList();
        if (lanes.Count > 0)
        {
            yield return ("sent", Amounts(lanes, "delivered") ?? "nothing yet");
            var oldest = plugin["queue"]?["oldest"] is { } since ? $"; the oldest for {Spoken(now - Time(since))}" : "";
            yield return ("waiting", Amounts(lanes, "queued") is { } waiting ? waiting + oldest : "nothing");
        }
        foreach (var (account, word) in Losses)
        {
            if (Amounts(lanes, account) is { } lost)
            {
                yield return (word, lost);
            }
        }
        foreach (var lane in lanes.Where(l => (string?)l["lastError"] is not null))
        {
            var at = lane["lastErrorAt"] is { } time ? $", {Spoken(now - Time(time))} ago" : "";
            var next =
                lane["nextTry"] is { } next_ && Time(next_) > now
                    ? $"; tried again in {Spoken(Time(next_) - now)}"
                    : "";
            yield return ("refused", $"{lane["lane"]}: {lane["lastError"]}{at}{next}");
        }
        if (plugin["series"]?["total"] is { } series)
        {
            yield return (
                "series",
                $"{series}{(plugin["sessions"]?["open"] is { } open ? $", of {open} open sessions" : "")}"
            );
        }
        if (plugin["lastFlush"] is JsonObject flush)
        {
            yield return (
                "last flush",
                $"{Spoken(now - Time(flush["at"]))} ago: {flush["points"]} points in {flush["requests"]} requests, {flush["bytes"]} bytes"
            );
        }
        if ((string?)plugin["clock"]?["error"] is { } clock)
        {
            yield return ("clock", clock);
        }
        if ((string?)plugin["storeDamage"] is { } damage)
        {
            yield return ("disk", damage);
        }
        foreach (var warning in plugin["warnings"]?.AsArray() ?? [])
        {
            // The verdict has said it.
            if (warning?.ToString() is { } text && !text.StartsWith(said, StringComparison.Ordinal))
            {
                yield return ("also", text);
            }
        }
        if ((string?)plugin["log"] is { } log)
        {
            yield return ("log", log);
        }
    }

    private static string Source(JsonObject source, DateTimeOffset now)
    {
        var state = (string?)source["state"];
        return state is "up"
            ? $"{source["name"]} up, {source["received"]} received"
            : $"{source["name"]} {state} for {Spoken(now - Time(source["since"]))}: {FirstLine($"{source["detail"]}")}";
    }

    private static (string State, string Sentence, string? Fix) Verdict(JsonObject document)
    {
        var verdict = document["verdict"];
        return ($"{verdict?["state"]}", $"{verdict?["sentence"]}", (string?)verdict?["fix"]);
    }

    // "metrics 12, events 3"; null when there is none of it.
    private static string? Amounts(IEnumerable<JsonObject> lanes, string account)
    {
        var amounts = lanes
            .Select(lane => (Name: $"{lane["lane"]}", Count: (long?)lane["ledger"]?[account] ?? 0))
            .Where(amount => amount.Count > 0)
            .Select(amount => string.Create(CultureInfo.InvariantCulture, $"{amount.Name} {amount.Count:N0}"))
            .ToList();
        return amounts.Count > 0 ? string.Join(", ", amounts) : null;
    }

    private static IEnumerable<JsonObject> Objects(JsonNode? list) => list?.AsArray().OfType<JsonObject>() ?? [];

    private static DateTimeOffset Time(JsonNode? time) =>
        DateTimeOffset.TryParse((string?)time, CultureInfo.InvariantCulture, out var at) ? at : default;

    // What follows is a text to apply, which the command check prints.
    private static string FirstLine(string text) => text.Split('\n')[0];

    private static string Spoken(TimeSpan time) =>
        time switch
        {
            { TotalSeconds: < 120 } => string.Create(
                CultureInfo.InvariantCulture,
                $"{Math.Max(0, time.TotalSeconds):0} s"
            ),
            { TotalMinutes: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min"),
            { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0} h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0} days"),
        };
}
