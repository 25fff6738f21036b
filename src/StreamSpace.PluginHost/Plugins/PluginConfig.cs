using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// The config of one plugin: what an operator gave it, which is kept over restarts, and over it what StreamSpace's own page
/// says.
/// </summary>
/// <param name="manifest">The plugin's.</param>
/// <param name="store">Where it is kept.</param>
/// <param name="hasDatabase">True where StreamSpace's database is attached; without it its page has no say.</param>
internal sealed class PluginConfig(PluginManifest manifest, HostStore store, bool hasDatabase)
{
    // New with each process: what a tag was made of cannot be guessed from it, secrets included.
    private readonly byte[] _tagKey = RandomNumberGenerator.GetBytes(32);

    /// <summary>Whether the operator wants the plugin to run.</summary>
    public bool Enabled
    {
        get => store.Read(manifest.Name).Enabled;
        set
        {
            // The row is made with the config.
            _ = Read();
            store.SaveEnabled(manifest.Name, value);
        }
    }

    /// <summary>Changes whenever the config, or the switch, does: an HTTP entity tag, quotes included.</summary>
    public string Tag =>
        $"\"{Convert.ToHexStringLower(HMACSHA256.HashData(_tagKey, Encoding.UTF8.GetBytes($"{Enabled} {InForce(Read()).Values.ToJsonString()}")))[..16]}\"";

    /// <summary>True when the last <see cref="Read"/> had to leave the secrets out.</summary>
    public bool SecretsLost { get; private set; }

    /// <summary>What StreamSpace's row says, or said last; null while there was none that can be used.</summary>
    public RowLayer? Row { get; set; } = hasDatabase ? RowLayer.Read(store.ReadRow(manifest.Name)) : null;

    /// <summary>True once the row that was obeyed has gone: the plugin was uninstalled there, and stays off.</summary>
    public bool IsUninstalledThere => Row is { IsGone: true };

    /// <summary>
    /// What is kept. At a plugin's first start that is the manifest's default, kept from then on, so that an update
    /// with other defaults changes nobody's config.
    /// </summary>
    public JsonObject Read()
    {
        var (_, config, secretsLost) = store.Read(manifest.Name);
        SecretsLost = secretsLost;
        if (config is null)
        {
            Save(manifest.DefaultConfig);
        }
        return config ?? (JsonObject)manifest.DefaultConfig.DeepClone();
    }

    /// <summary>
    /// What is to be in force when <paramref name="kept"/> is kept. A default that nobody ever changed is for those
    /// who have configured nothing: beside a row it does not count.
    /// </summary>
    public PluginSettings InForce(JsonObject kept)
    {
        var isDefault = JsonNode.DeepEquals(kept, manifest.DefaultConfig);
        var under = isDefault && Row is { Values.Count: > 0 } ? [] : kept;
        var settings = new PluginSettings(under, isDefault ? SettingOrigin.Default : SettingOrigin.Saved)
        {
            RowWritten = Row?.Written,
        };
        if (Row is not { } row)
        {
            return settings;
        }
        var withRow = settings.With(row.Values, SettingOrigin.Row);
        return row.IsGone ? withRow.With(new JsonObject { ["enabled"] = false }, SettingOrigin.Uninstalled) : withRow;
    }

    /// <summary>What <paramref name="kept"/> would be in force as, and what its schema finds wrong with it.</summary>
    public (JsonObject Values, IReadOnlyList<ConfigError> Errors) Check(JsonObject kept)
    {
        var errors = new List<ConfigError>();
        return (manifest.ConfigSchema.Read(InForce(kept).Values, errors), errors);
    }

    /// <summary>Takes a reading of the row: what it says counts, and one that has gone, having counted, switches the plugin off.</summary>
    public void Take(PluginRowReading reading, ICollection<string> warnings) =>
        Row =
            reading.Row is { } row ? RowLayer.Read(row, manifest.ConfigSchema, warnings) ?? RowLayer.Unusable(row, Row)
            : Row is { } last ? last with { IsGone = true }
            : null;

    /// <summary>Keeps over restarts what <see cref="Row"/> is.</summary>
    public void SaveRow()
    {
        var row = RowLayer.Write(Row);
        if (!JsonNode.DeepEquals(row, store.ReadRow(manifest.Name)))
        {
            store.SaveRow(manifest.Name, row);
        }
    }

    /// <summary>Keeps it over restarts, its secrets encrypted.</summary>
    public void Save(JsonObject config) => store.SaveConfig(manifest.Name, config, manifest.ConfigSchema);

    /// <summary>
    /// An error for each destination that <paramref name="change"/> sets while secrets of <paramref name="kept"/> would
    /// travel there that the change does not hold: whoever may change the config need not know them.
    /// </summary>
    public IReadOnlyList<ConfigError> WithSecretsAstray(JsonObject kept, JsonObject change)
    {
        var schema = manifest.ConfigSchema;
        var secrets = string.Join(
            " and ",
            schema
                .Keys.Where(key => schema.IsSecret(key) && !schema.IsDestination(key))
                .Where(key => IsGiven(kept[key]) && !change.ContainsKey(key))
        );
        return secrets.Length == 0
            ? []
            :
            [
                .. change
                    .Where(c => schema.IsDestination(c.Key) && IsGiven(c.Value))
                    .Where(c => !JsonNode.DeepEquals(c.Value, kept[c.Key]))
                    .Select(c => new ConfigError(
                        c.Key,
                        $"would take the kept {secrets} to another place: give {secrets} in the same call, or clear with null."
                    )),
            ];
    }

    private static bool IsGiven(JsonNode? value) =>
        value is not null
        && !(value is JsonValue text && text.TryGetValue(out string? s) && string.IsNullOrWhiteSpace(s));

    /// <summary>A copy of <paramref name="config"/> in which a key of <paramref name="change"/> wins and a null of it clears.</summary>
    public static JsonObject Over(JsonObject config, JsonObject change)
    {
        var laid = (JsonObject)config.DeepClone();
        foreach (var (key, value) in change)
        {
            if (value is null)
            {
                laid.Remove(key);
            }
            else
            {
                laid[key] = value.DeepClone();
            }
        }
        return laid;
    }
}
