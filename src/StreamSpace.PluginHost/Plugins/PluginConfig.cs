using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>The config that an operator gave one plugin, kept over restarts.</summary>
internal sealed class PluginConfig(PluginManifest manifest, HostStore store)
{
    public bool Enabled => store.Read(manifest.Name).Enabled;

    /// <summary>True when the last <see cref="Read"/> had to leave the secrets out.</summary>
    public bool SecretsLost { get; private set; }

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
