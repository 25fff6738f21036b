using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Commands;

/// <summary>What a command writes to and lives by.</summary>
/// <param name="Output">What was asked for, and nothing else.</param>
/// <param name="Error">Why it cannot be had, in one line.</param>
/// <param name="Terminal">What reads the output.</param>
/// <param name="Clock">The clock.</param>
/// <param name="Random">From 0 to 1: spreads retries.</param>
internal sealed record CommandContext(
    TextWriter Output,
    TextWriter Error,
    Terminal Terminal,
    TimeProvider Clock,
    Func<double> Random
)
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The option <c>--json</c> of a command.</summary>
    public static Option<bool> Json(string description) => new("--json") { Description = description };

    /// <summary>JSON for people and programs: indented, with its letters as they are, but for those that would act on a screen.</summary>
    public static string Written(JsonNode json)
    {
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        TerminalSafeJson.Write(json.ToJsonString(Indented), written);
        return written.ToString();
    }
}
