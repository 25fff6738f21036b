using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.PluginHost.Plugins;

// What becomes of a plugin that does not come back from a call: its copy is ended from outside, and another is tried.
internal sealed partial class HostedPlugin
{
    // After these nobody need believe any more that it comes back by itself. Where this very process never saw it run, the
    // last restart has not helped, and the next one has time.
    private static readonly TimeSpan ComesBackWithin = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ComesAtAllWithin = TimeSpan.FromMinutes(30);

    private string _reason = "";
    private bool _hasRun;

    /// <summary>True when it is isolated or could not be loaded, and the time has come to try another copy.</summary>
    public bool IsDue => State is PluginState.Isolated or PluginState.Failed && _backOff.IsDue;

    /// <summary>
    /// Why a restart of the process is the way that is left, or null: an enabled plugin that has been isolated for minutes.
    /// </summary>
    public string? NotComingBack =>
        State is PluginState.Isolated
        && _backOff.Since is { } since
        && host.Clock.GetUtcNow() - since >= (_hasRun ? ComesBackWithin : ComesAtAllWithin)
            ? $"{Name} has been isolated since {Time(since)}, and {_backOff.Attempts} attempts to load it again have failed: {_reason}."
            : null;

    /// <summary>Since when it does not come back, why, and when it is tried again; null while nothing is to be tried.</summary>
    public JsonObject? Retry =>
        State is PluginState.Isolated or PluginState.Failed && _backOff.Next is not null
            ? new JsonObject
            {
                ["since"] = _backOff.Since,
                ["reason"] = _reason,
                ["attempts"] = _backOff.Attempts,
                ["nextTry"] = _backOff.Next,
            }
            : null;

    private void Isolate(PluginInstance? instance, string what, TimeSpan limit) =>
        Isolate(instance, $"it did not come back from {what} within {limit.TotalSeconds:0.#} s");

    private void Isolate(PluginLoadContext context, Exception thrown)
    {
        _log?.Logger.LogError(thrown, "{Plugin} threw where nobody catches it.", Name);
        if (_instance is { } instance && instance.Context == context)
        {
            Isolate(instance, $"it threw where nobody catches it: {Said(thrown)}");
        }
    }

    private void Isolate(PluginInstance? instance, string reason)
    {
        // Of a copy that was let go of meanwhile: what hangs in it is not the plugin that is there now.
        if (instance is null || instance != _instance)
        {
            return;
        }
        LetGo(instance);
        TryLater(reason);
    }

    private void Postpone(string reason)
    {
        _reason = reason;
        _backOff.Fail();
    }

    private void TryLater(string reason)
    {
        Postpone(reason);
        // In this order: whoever sees the state can see why.
        (Detail, State) = (
            $"isolated: {reason}. It is tried again at {Time(_backOff.Next!.Value)}; POST /api/plugins/{Name}/reload tries it at once. A restart of this process frees what the old copy holds.",
            PluginState.Isolated
        );
        _log?.Logger.LogError("{Plugin} is {Detail}", Name, Detail);
    }

    private static string Time(DateTimeOffset time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
