using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// The config that an operator gave one plugin: what is kept over restarts, and over it what StreamSpace's own page
/// says.
/// </summary>
internal sealed class PluginConfig(PluginManifest manifest, HostStore store)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

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

    /// <summary>Changes whenever the config does: an HTTP entity tag, quotes included.</summary>
    public string Tag =>
        $"\"{Convert.ToHexStringLower(HMACSHA256.HashData(_tagKey, Encoding.UTF8.GetBytes(InForce(Read()).Values.ToJsonString())))[..16]}\"";

    /// <summary>True when the last <see cref="Read"/> had to leave the secrets out.</summary>
    public bool SecretsLost { get; private set; }

    /// <summary>What StreamSpace's row says, or null while there is none that can be used.</summary>
    public RowLayer? Row { get; set; }

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

    public void Save(JsonObject config) => store.SaveConfig(manifest.Name, config, manifest.ConfigSchema);

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
        return Row is { } row ? settings.With(row.Values, SettingOrigin.Row) : settings;
    }

    /// <summary>
    /// A fault for each destination that <paramref name="change"/> sets while secrets of <paramref name="kept"/> would
    /// travel there that the change does not hold: whoever may change the config need not know them.
    /// </summary>
    public IReadOnlyList<ConfigFault> Strays(JsonObject kept, JsonObject change)
    {
        var schema = manifest.ConfigSchema;
        var secrets = schema
            .Keys.Where(key => schema.IsSecret(key) && !schema.IsDestination(key))
            .Where(key => IsGiven(kept[key]) && !change.ContainsKey(key))
            .ToList();
        return secrets.Count == 0
            ? []
            :
            [
                .. change
                    .Where(c => schema.IsDestination(c.Key) && IsGiven(c.Value))
                    .Where(c => !JsonNode.DeepEquals(c.Value, kept[c.Key]))
                    .Select(c => new ConfigFault(
                        c.Key,
                        $"would take the kept {string.Join(" and ", secrets)} to another place: give "
                            + $"{string.Join(" and ", secrets)} in the same call, or clear with null."
                    )),
            ];
    }

    private static bool IsGiven(JsonNode? value) =>
        value is not null
        && !(value is JsonValue text && text.TryGetValue(out string? s) && string.IsNullOrWhiteSpace(s));

    /// <summary>
    /// Reads a row as the page writes it. An unknown key is only worth a warning there, and so is a secret: StreamSpace
    /// shows its rows to everyone who is signed in (docs/reference/streamspace.md §6.2).
    /// </summary>
    public RowLayer? ReadRow(PluginRow row, ICollection<string> warnings)
    {
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
                if (!manifest.ConfigSchema.Keys.Contains(key))
                {
                    var nearest = NearestName.Of(key, manifest.ConfigSchema.Keys) is { } name
                        ? $"; did you mean {name}?"
                        : ".";
                    warnings.Add($"{key} is not a known key{nearest}");
                    continue;
                }
                if (manifest.ConfigSchema.IsSecret(key) && value is JsonValue)
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

    /// <summary>A copy of <paramref name="config"/> in which a key of <paramref name="change"/> wins and a null of it clears.</summary>
    public static JsonObject LayOver(JsonObject config, JsonObject change)
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

/// <summary>What StreamSpace's row sets, and when it was last written, as far as it says.</summary>
internal sealed record RowLayer(JsonObject Values, DateTimeOffset? Written)
{
    /// <summary>Tells nothing: it may hold secrets.</summary>
    public override string ToString() => nameof(RowLayer);
}
