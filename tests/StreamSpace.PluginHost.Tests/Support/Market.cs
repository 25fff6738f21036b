using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>A plugins folder of its own and a catalogue, between which a test carries plugins.</summary>
internal sealed class Market
{
    private const string Echo = "streamspace-echo";

    private readonly string _folder = TestRun.NewFolder();

    public Market()
    {
        Directory.CreateDirectory(Plugins);
        Directory.CreateDirectory(Catalog);
    }

    public string Plugins => Path.Combine(_folder, "plugins");

    public string Catalog => Path.Combine(_folder, "catalog");

    /// <summary>A host without a demo that takes what is posted, and installs from the catalogue.</summary>
    public HostSettings Settings =>
        TestHost.NewSettings() with
        {
            PluginsFolder = Plugins,
            Environment = new Dictionary<string, string>
            {
                ["CATALOG_URL"] = Catalog,
                ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret,
            },
        };

    /// <summary>A folder that the build has laid beside the tests, such as <c>next/streamspace-echo</c>.</summary>
    public static string Built(string path) => Path.Combine(AppContext.BaseDirectory, path);

    /// <summary>Installs a built plugin by hand, under another name when one is given.</summary>
    public void Lay(string built, string? name = null)
    {
        var target = Path.Combine(Plugins, name ?? Path.GetFileName(built));
        Copy(built, target);
        if (name is not null)
        {
            var manifest = Path.Combine(target, "manifest.json");
            File.WriteAllText(
                manifest,
                File.ReadAllText(manifest).Replace(Path.GetFileName(built), name, StringComparison.Ordinal)
            );
        }
    }

    /// <summary>Offers a built Echo as this version; <paramref name="spoil"/> may change its files before.</summary>
    public void Offer(string built, string version, Action<string>? spoil = null)
    {
        var folder = TestRun.NewFolder();
        Copy(built, folder);
        var manifest = Path.Combine(folder, "manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("1.2.3", version, StringComparison.Ordinal));
        spoil?.Invoke(folder);
        var archive = Path.Combine(Catalog, $"{version}.tar.gz");
        using (var gzip = new GZipStream(File.Create(archive), CompressionLevel.Fastest))
        {
            TarFile.CreateFromDirectory(folder, gzip, includeBaseDirectory: false);
        }
        var entry = new JsonObject
        {
            ["name"] = Echo,
            ["version"] = version,
            ["downloadUrl"] = Path.GetFileName(archive),
            ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(archive))),
        };
        File.WriteAllText(Path.Combine(Catalog, "catalog.json"), new JsonArray(entry).ToJsonString());
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var path = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(file, path);
        }
    }
}
