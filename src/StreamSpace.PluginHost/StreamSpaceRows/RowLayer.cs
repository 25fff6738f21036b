using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>
/// What StreamSpace's row sets, and when it was last written, as far as it says. It is kept over restarts, for what it said
/// holds while the database is away, and when the row has gone: then the plugin was uninstalled there.
/// </summary>
/// <param name="Values">Known keys alone.</param>
/// <param name="Written">By the clock of StreamSpace's API, or null.</param>
/// <param name="IsGone">True once the row has gone.</param>
internal sealed record RowLayer(JsonObject Values, DateTimeOffset? Written, bool IsGone = false)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>True while it says that the plugin is to be off.</summary>
    public bool SwitchesOff =>
        string.Equals(Values["enabled"]?.ToString(), "false", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Reads a row as the page writes it. An unknown key is only worth a warning there, and so is a secret: StreamSpace
    /// shows its rows to everyone who is signed in (docs/reference/streamspace.md §6.2). Null, with a warning, when its
    /// config is none, or was not read.
    /// </summary>
    public static RowLayer? Read(PluginRow row, ConfigSchema schema, ICollection<string> warnings)
    {
        if (row.Config is null)
        {
            return null;
        }
        try
        {
            if (
                !JsonText.IsWhole(Encoding.UTF8.GetBytes(row.Config))
                || JsonNode.Parse(row.Config, null, Strict) is not JsonObject given
            )
            {
                warnings.Add("its config is not a JSON object of Unicode text.");
                return null;
            }
            var known = new JsonObject();
            foreach (var (key, value) in given)
            {
                if (!schema.Keys.Contains(key))
                {
                    warnings.Add($"{key} {schema.OfUnknown(key)}");
                    continue;
                }
                if (schema.IsSecret(key) && value is JsonValue)
                {
                    warnings.Add(
                        $"{key} is there for every signed-in user to read: keep it in the environment instead."
                    );
                }
                known[key] = value?.DeepClone();
            }
            if (!row.Enabled)
            {
                known["enabled"] = false;
            }
            return new RowLayer(known, row.UpdatedAt);
        }
        catch (JsonException)
        {
            warnings.Add("its config is not JSON, or has a key twice.");
            return null;
        }
    }

    /// <summary>
    /// What a row whose config cannot be used leaves in force: what it said before; off when its switch says so, which counts
    /// all the same.
    /// </summary>
    public static RowLayer? Unusable(PluginRow row, RowLayer? before)
    {
        if (row.Enabled)
        {
            return before;
        }
        var values = (JsonObject?)before?.Values.DeepClone() ?? [];
        values["enabled"] = false;
        return new RowLayer(values, row.UpdatedAt);
    }

    /// <summary>As it is kept; null for none.</summary>
    public static JsonObject? Write(RowLayer? layer) =>
        layer is null
            ? null
            : new JsonObject
            {
                ["values"] = layer.Values.DeepClone(),
                ["written"] = layer.Written,
                ["gone"] = layer.IsGone,
            };

    /// <summary>Reads back what <see cref="Write"/> made.</summary>
    public static RowLayer? Read(JsonObject? kept) =>
        kept?["values"] is JsonObject values
            ? new RowLayer(
                (JsonObject)values.DeepClone(),
                kept["written"]?.GetValue<DateTimeOffset>(),
                kept["gone"]?.GetValue<bool>() is true
            )
            : null;

    /// <summary>Tells nothing: it may hold secrets.</summary>
    public override string ToString() => nameof(RowLayer);
}
