using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamSpace.Plugins;

/// <summary>Where the value of a setting comes from; each wins over those before it.</summary>
public enum SettingOrigin
{
    /// <summary>The manifest: nobody set it.</summary>
    Default,

    /// <summary>A call of the API, kept since.</summary>
    Saved,

    /// <summary>The plugin's row in StreamSpace's database, which anyone who is signed in there may write.</summary>
    Row,

    /// <summary>StreamSpace's database, from which the plugin's row has gone: the plugin was uninstalled there.</summary>
    Uninstalled,

    /// <summary>The environment, or a file that it names.</summary>
    Environment,
}

/// <summary>Where the value of a setting comes from, as far as it can be named.</summary>
/// <param name="Origin">The topmost layer that sets it.</param>
/// <param name="Variables">Variables of the environment that set it, or that add to it; none for most.</param>
public sealed record SettingSource(SettingOrigin Origin, IReadOnlyList<string> Variables)
{
    /// <summary>As it is shown: the variables, or a word for the origin and the variables that add to it.</summary>
    public override string ToString()
    {
        var (word, variables) = (
            JsonNamingPolicy.CamelCase.ConvertName(Origin.ToString()),
            string.Join(", ", Variables)
        );
        return variables.Length == 0 ? word
            : Origin is SettingOrigin.Environment ? variables
            : $"{word}, and {variables}";
    }
}

/// <summary>A config in layers: its values, and where each comes from. Not changed once it is made.</summary>
public sealed class PluginSettings
{
    private readonly SettingOrigin _origin;
    private readonly JsonObject _layer;

    /// <summary>One layer alone.</summary>
    public PluginSettings(JsonObject values, SettingOrigin origin = SettingOrigin.Saved)
        : this(values, origin, below: null) { }

    private PluginSettings(JsonObject layer, SettingOrigin origin, PluginSettings? below)
    {
        (_layer, _origin, Below, RowWritten) = (layer, origin, below, below?.RowWritten);
        Values = below is null ? [] : (JsonObject)below.Values.DeepClone();
        foreach (var (key, value) in layer)
        {
            Values.Remove(key);
            if (value is not null)
            {
                Values[key] = value.DeepClone();
            }
        }
    }

    /// <summary>What holds of all layers together, secrets included. A null of a layer clears what lies below it.</summary>
    public JsonObject Values { get; }

    /// <summary>The settings without the topmost layer, or null when there is but one.</summary>
    public PluginSettings? Below { get; }

    /// <summary>When StreamSpace's row was last written, by the clock of its API; null when nobody can tell.</summary>
    public DateTimeOffset? RowWritten { get; init; }

    /// <summary>The settings with <paramref name="layer"/> over them.</summary>
    public PluginSettings With(JsonObject layer, SettingOrigin origin) => new(layer, origin, this);

    /// <summary>Where the value of <paramref name="key"/>, or its absence, comes from.</summary>
    public SettingOrigin OriginOf(string key) =>
        _layer.ContainsKey(key) ? _origin : Below?.OriginOf(key) ?? SettingOrigin.Default;

    /// <summary>Tells nothing: it holds secrets.</summary>
    public override string ToString() => nameof(PluginSettings);
}
