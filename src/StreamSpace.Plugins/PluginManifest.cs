using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace StreamSpace.Plugins;

/// <summary>
/// A plugin's <c>manifest.json</c>, with the keys that StreamSpace's own catalogue sync keeps
/// (docs/reference/streamspace.md §7.1).
/// </summary>
public sealed partial class PluginManifest
{
    // The only types that the catalogue sync keeps; anything else it drops without a word (§7.1).
    private static readonly string[] Types = ["extension", "webhook", "api", "ui", "theme"];

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The version of the contract in this assembly: <c>requirements.pluginContract</c> of a manifest names the one it wants.</summary>
    public const string Contract = "1";

    private PluginManifest(JsonObject json, string name, string version, string entryPoint)
    {
        Json = json;
        Name = name;
        Version = version;
        EntryPoint = entryPoint;
        DisplayName = Text(json, "displayName") ?? name;
        ConfigSchema = new ConfigSchema(json["configSchema"] as JsonObject ?? []);
        DefaultConfig = json["defaultConfig"] as JsonObject ?? [];
    }

    /// <summary>The document as it was read, for whoever wants a key that has no property here.</summary>
    public JsonObject Json { get; }

    /// <summary>Lower-case letters, digits and hyphens; also the name of the plugin's folder.</summary>
    public string Name { get; }

    /// <summary>Three numbers, as in <c>1.0.0</c>.</summary>
    public string Version { get; }

    /// <summary>The name for people.</summary>
    public string DisplayName { get; }

    /// <summary>File name of the entry assembly, without any folder (<c>entrypoints.main</c>).</summary>
    public string EntryPoint { get; }

    /// <summary>What a config may hold.</summary>
    public ConfigSchema ConfigSchema { get; }

    /// <summary>The config that a fresh data folder begins with.</summary>
    public JsonObject DefaultConfig { get; }

    /// <summary>
    /// The word under <c>/api/plugins/</c>: the name without the prefix <c>streamspace-</c>, which every plugin of
    /// the platform carries.
    /// </summary>
    public string Route =>
        Name.StartsWith("streamspace-", StringComparison.Ordinal) ? Name["streamspace-".Length..] : Name;

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="FormatException">It is not a manifest; the message names every error.</exception>
    public static PluginManifest Parse(string text)
    {
        JsonObject json;
        try
        {
            if (!JsonText.IsWhole(Encoding.UTF8.GetBytes(text)))
            {
                throw new FormatException("manifest.json holds a string that is not Unicode text.");
            }
            json =
                JsonNode.Parse(text, null, Strict) as JsonObject
                ?? throw new FormatException("manifest.json is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw new FormatException(
                $"manifest.json is not valid JSON at {JsonText.Place(e)}, or has a key twice.",
                e
            );
        }

        var errors = new List<string>();
        var name = Required(json, "name", errors);
        var version = Required(json, "version", errors);
        _ = Required(json, "displayName", errors);
        var type = Required(json, "type", errors);
        var main = Text(json["entrypoints"] as JsonObject ?? [], "main");
        if (name is not null && !NameShape().IsMatch(name))
        {
            errors.Add("name must be lower-case letters, digits and hyphens, at most 64");
        }
        if (version is not null && !VersionShape().IsMatch(version))
        {
            errors.Add("version must be three numbers, as in 1.0.0");
        }
        if (type is not null && !Types.Contains(type))
        {
            errors.Add($"type must be one of {string.Join(", ", Types)}");
        }
        if (main is null)
        {
            errors.Add("entrypoints.main is missing");
        }
        else if (!EntryPointShape().IsMatch(main))
        {
            errors.Add("entrypoints.main must be the name of a .dll in the plugin's own folder");
        }
        if (Text(json["requirements"] as JsonObject ?? [], "pluginContract") is { } wanted && wanted != Contract)
        {
            errors.Add(
                $"requirements.pluginContract is {wanted}, and this host has {Contract}: take a plugin, or a host, of the other version"
            );
        }
        return errors.Count == 0
            ? new PluginManifest(json, name!, version!, main!)
            : throw new FormatException($"manifest.json: {string.Join("; ", errors)}.");
    }

    private static string? Required(JsonObject json, string key, List<string> errors)
    {
        var text = Text(json, key);
        if (string.IsNullOrEmpty(text))
        {
            errors.Add($"{key} is missing");
            return null;
        }
        return text;
    }

    private static string? Text(JsonObject json, string key) =>
        json[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,63}\z")]
    private static partial Regex NameShape();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\.dll\z")]
    private static partial Regex EntryPointShape();

    [GeneratedRegex(@"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}\z")]
    private static partial Regex VersionShape();
}
