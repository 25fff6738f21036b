using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>The assets as files, in the layout of Datadog's integrations (docs/reference/datadog.md §9): for whoever brings them there by other means.</summary>
internal static class Export
{
    private const string Integration = "streamspace";
    private const string AppId = "4ff85493-447c-4c75-902d-5899c00fb6d9";

    // Of the layout's own version 2 of a monitor's file, which wants both.
    private const string Written = "2026-11-27";

    /// <summary>The command <c>export</c>.</summary>
    public static PluginCommand Command { get; } =
        new(
            "export",
            "Writes dashboards, monitors, SLOs and metric metadata as files into a folder; needs no key.",
            async (arguments, output, cancellationToken) =>
            {
                if (arguments is not [var folder])
                {
                    await output.WriteLineAsync(
                        "Name one folder, as in: export datadog-assets".AsMemory(),
                        cancellationToken
                    );
                    return 1;
                }
                var files = Files();
                foreach (var (path, text) in files)
                {
                    var file = Path.Combine(folder, path);
                    Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                    await File.WriteAllTextAsync(file, text, cancellationToken);
                }
                await output.WriteLineAsync($"{files.Count} files written to {folder}.".AsMemory(), cancellationToken);
                return 0;
            }
        );

    /// <summary>The text of each file by its path in the folder, as an installation has it whose config says nothing of them.</summary>
    public static IReadOnlyDictionary<string, string> Files()
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["metadata.csv"] = Metadata() };
        var assets = new JsonObject();
        Add(AssetKind.Dashboard, "dashboards", asset => asset.Body);
        Add(AssetKind.Monitor, "monitors", Monitor);
        Add(AssetKind.Slo, "service_level_objectives", asset => asset.Body);
        Add(AssetKind.Entity, "entities", asset => asset.Body);
        files["manifest.json"] = Text(Manifest(assets));
        return files;

        void Add(AssetKind kind, string folder, Func<Asset, JsonObject> body)
        {
            var listed = new JsonObject();
            foreach (var asset in AssetCatalog.Of(kind, Installation.Standard, _ => null))
            {
                var path = $"assets/{folder}/{asset.Key.Replace('-', '_')}.json";
                files[path] = Text(body(asset));
                listed[asset.Name] = path;
            }
            assets[folder] = listed;
        }
    }

    private static JsonObject Monitor(Asset asset) =>
        new()
        {
            ["version"] = 2,
            ["created_at"] = Written,
            ["last_updated_at"] = Written,
            ["title"] = asset.Name,
            ["description"] = ((string)asset.Body["message"]!).Split('\n')[0],
            ["tags"] = new JsonArray($"integration:{Integration}"),
            ["definition"] = asset.Body,
        };

    private static JsonObject Manifest(JsonObject assets)
    {
        assets.Insert(
            0,
            "integration",
            new JsonObject
            {
                ["auto_install"] = false,
                ["source_type_name"] = "StreamSpace",
                ["events"] = new JsonObject { ["creates_events"] = true },
                ["metrics"] = new JsonObject
                {
                    ["prefix"] = "streamspace.",
                    ["check"] = MetricCatalog.SessionActive.Name,
                    ["metadata_path"] = "metadata.csv",
                },
            }
        );
        return new JsonObject
        {
            ["manifest_version"] = "2.0.0",
            ["app_uuid"] = AppId,
            ["app_id"] = Integration,
            ["display_on_public_website"] = false,
            ["tile"] = new JsonObject
            {
                ["title"] = "StreamSpace",
                ["description"] = "Desktop sessions of StreamSpace: how they start, run and end, and who uses them.",
                ["overview"] = "README.md",
                ["media"] = new JsonArray(),
                ["classifier_tags"] = new JsonArray("Category::Metrics", "Submitted Data Type::Metrics"),
            },
            ["assets"] = assets,
        };
    }

    private static string Metadata()
    {
        var text = new StringBuilder(
            "metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name,curated_metric,sample_tags\n"
        );
        foreach (var metric in MetricCatalog.All)
        {
            string[] fields =
            [
                metric.Name,
                metric.Type.ToString().ToLowerInvariant(),
                "",
                metric.Unit ?? "",
                "",
                metric.Description,
                "0",
                Integration,
                metric.Name[$"{Integration}.".Length..].Replace('.', ' ').Replace('_', ' '),
                "",
                string.Join(',', metric.Tags),
            ];
            text.AppendJoin(',', fields.Select(f => f.Contains(',', StringComparison.Ordinal) ? $"\"{f}\"" : f))
                .Append('\n');
        }
        return text.ToString();
    }

    private static string Text(JsonObject json)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (
            var writer = new Utf8JsonWriter(
                bytes,
                new JsonWriterOptions
                {
                    Indented = true,
                    NewLine = "\n",
                    Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                }
            )
        )
        {
            json.WriteTo(writer);
        }
        return $"{Encoding.UTF8.GetString(bytes.WrittenSpan)}\n";
    }
}
