using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary>What a run of <c>provision</c> did, for people: what it is about first, then what was done to what.</summary>
internal static class ProvisionText
{
    private const int Indent = 10;

    private static readonly string[] Changes = ["create", "update", "remove"];

    /// <summary>Whether everything is as it should be, or would be.</summary>
    public static bool IsWell(JsonObject run) => run["error"] is null && Count(run, "fail") == 0;

    public static string Of(JsonObject run, Terminal terminal)
    {
        var isDry = (bool?)run["dryRun"] == true;
        var assets = run["assets"]?.AsArray().OfType<JsonObject>().ToList() ?? [];
        var lines = new List<string> { Head(run, isDry) };
        if (run["error"] is { } error)
        {
            lines.Add(terminal.Wrap($"{error}", 0));
        }
        var kinds = assets.Select(a => $"{a["kind"]}".Length).Append(0).Max();
        foreach (var asset in assets.Where(a => (string?)a["change"] is not ("none" or "wait")))
        {
            var change = $"{asset["change"]}";
            var word = terminal.Tell(change == "fail" ? Tone.Bad : Tone.Good, change.PadRight(Indent - 2));
            lines.Add($"{word}  {$"{asset["kind"]}".PadRight(kinds)}  {OneLine.Of($"{asset["name"]}")}");
            lines.AddRange(Details(asset).Select(detail => new string(' ', Indent) + terminal.Wrap(detail, Indent)));
        }
        if (
            assets.Where(a => (string?)a["change"] == "wait").Select(a => $"{a["name"]}").Distinct().ToList() is
            { Count: > 0 } waits
        )
        {
            lines.Add(
                terminal.Wrap(
                    $"{waits.Count} metrics have not reported to Datadog yet, and are tried again by themselves: {string.Join(", ", waits)}.",
                    0
                )
            );
        }
        return string.Join(Environment.NewLine, lines);
    }

    private static string Head(JsonObject run, bool isDry)
    {
        var changes = Changes.Sum(change => Count(run, change));
        var failed = Count(run, "fail");
        return (changes, isDry) switch
        {
            (0, _) when failed > 0 => $"{failed} could not be done; nothing was changed.",
            (0, _) => "Nothing to do: everything is as it should be.",
            (_, true) => $"{changes} would be changed; nothing was done.",
            _ => failed > 0 ? $"{changes} changed, {failed} could not be done." : $"{changes} changed.",
        };
    }

    private static IEnumerable<string> Details(JsonObject asset)
    {
        foreach (var difference in asset["differences"]?.AsArray() ?? [])
        {
            yield return $"{difference!["field"]}: {Shown(difference["now"])} → {Shown(difference["wanted"])}";
        }
        if (asset["error"] is { } error)
        {
            yield return $"{error}";
        }
    }

    private static string Shown(JsonNode? value) =>
        value switch
        {
            null => "nothing",
            JsonValue text when text.TryGetValue(out string? plain) => $"\"{plain}\"",
            _ => value.ToJsonString(),
        };

    private static int Count(JsonObject run, string change) => (int?)run["counts"]?[change] ?? 0;
}
