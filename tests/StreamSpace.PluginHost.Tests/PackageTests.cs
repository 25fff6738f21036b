using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>Plugins from a catalogue: found, verified, installed, updated and gone again.</summary>
public sealed class PackageTests
{
    private const string Name = "streamspace-echo";
    private const string Install = $"api/plugins/catalog/{Name}/install";

    [Fact]
    public async Task APluginIsFoundInstalledUpdatedWithItsConfigAndUninstalledWithoutATrace()
    {
        var (settings, catalog) = Market();
        Offer(catalog, "1.2.3", Archive("1.2.3"));
        await using var host = await TestHost.StartAsync(settings);
        ((int?)(await host.ReadAsync("api/plugins/catalog?search=ECHO"))["total"]).ShouldBe(1);
        ((int?)(await host.ReadAsync("api/plugins/catalog?search=nothing"))["total"]).ShouldBe(0);

        (await PostAsync(host)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await host.PutConfigAsync($$"""{"interval":42,"key":"{{Secret.OfConfig}}"}""")).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );

        Offer(catalog, "1.2.4", Archive("1.2.4", under: "streamspace-echo/"));
        var updated = await PostAsync(host);
        updated.StatusCode.ShouldBe(HttpStatusCode.Created);
        ((string?)(await TestHost.BodyAsync(updated))["version"]).ShouldBe("1.2.4");
        ((long?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(42);
        File.ReadAllText(Path.Combine(settings.DataFolder, Name, "key-length")).ShouldBe($"{Secret.OfConfig.Length}");
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["state"]).ShouldBe("running");

        (await host.SendAsync(HttpMethod.Delete, $"api/plugins/{Name}", host.Admin)).StatusCode.ShouldBe(
            HttpStatusCode.NoContent
        );
        Directory.GetFileSystemEntries(settings.PluginsFolder).ShouldBeEmpty();
        Directory.Exists(Path.Combine(settings.DataFolder, Name)).ShouldBeFalse();
        (await host.GetAsync("api/plugins/echo/config")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // Installed again it knows nothing of before.
        (await PostAsync(host)).StatusCode.ShouldBe(HttpStatusCode.Created);
        ((long?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(10);
    }

    public static TheoryData<string, string> Refused =>
        new()
        {
            { "a path above", "leaves its folder" },
            { "a rooted path", "leaves its folder" },
            { "a link", "only files and folders" },
            { "a hard link", "only files and folders" },
            { "a device", "only files and folders" },
            { "a sparse file", "SparseFile" },
            { "two files of one name", "exists" },
            { "a file that is a folder", "exists" },
            { "a name too long for any disk", "too long" },
            { "too many", "more than" },
            { "a bomb", "unpacks to more than" },
            { "a file that claims to be huge", "unpacks to more than" },
            { "another plugin", "not streamspace-echo" },
            { "no manifest", "manifest.json" },
            { "no archive", "not a gzip tar" },
            { "a torn archive", "not a gzip tar" },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task APackageThatIsNotRightIsRefusedAndLeavesNothing(string what, string why)
    {
        var (settings, catalog) = Market();
        var outside = Path.Combine(Path.GetDirectoryName(settings.PluginsFolder)!, "outside.txt");
        Offer(catalog, "1.2.3", Broken(what));
        await using var host = await TestHost.StartAsync(settings);
        var answer = await PostAsync(host);
        answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var detail = (string)(await TestHost.BodyAsync(answer))["detail"]!;
        detail.ShouldContain(why);
        detail.ShouldNotContain(Path.GetTempPath());
        Directory.GetFileSystemEntries(settings.PluginsFolder).ShouldBeEmpty();
        File.Exists(outside).ShouldBeFalse();
    }

    [Fact]
    public async Task AnArchiveWithAnotherChecksumIsRefusedAndTheInstalledOneStays()
    {
        var (settings, catalog) = Market();
        Offer(catalog, "1.2.3", Archive("1.2.3"));
        await using var host = await TestHost.StartAsync(settings);
        (await PostAsync(host)).StatusCode.ShouldBe(HttpStatusCode.Created);
        Offer(catalog, "1.2.4", Archive("1.2.4"), sha256: new string('0', 64));
        (await PostAsync(host)).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["version"], (string?)status["state"]).ShouldBe(("1.2.3", "running"));
    }

    private static Task<HttpResponseMessage> PostAsync(TestHost host) =>
        host.SendAsync(HttpMethod.Post, Install, host.Admin, TestHost.Json("{}"));

    private static (HostSettings Settings, string Catalog) Market()
    {
        var folder = TestRun.NewFolder();
        var catalog = Directory.CreateDirectory(Path.Combine(folder, "catalog")).FullName;
        var settings = TestHost.NewSettings() with
        {
            PluginsFolder = Directory.CreateDirectory(Path.Combine(folder, "plugins")).FullName,
            Environment = new Dictionary<string, string> { ["CATALOG_URL"] = catalog },
        };
        return (settings, catalog);
    }

    private static void Offer(string catalog, string version, byte[] archive, string? sha256 = null)
    {
        File.WriteAllBytes(Path.Combine(catalog, $"{Name}-{version}.tar.gz"), archive);
        var entry = new JsonObject
        {
            ["name"] = Name,
            ["version"] = version,
            ["displayName"] = "Echo",
            ["tags"] = new JsonArray("test"),
            ["downloadUrl"] = $"{Name}-{version}.tar.gz",
            ["sha256"] = sha256 ?? Convert.ToHexStringLower(SHA256.HashData(archive)),
        };
        File.WriteAllText(Path.Combine(catalog, "catalog.json"), new JsonArray(entry).ToJsonString());
    }

    private static byte[] Archive(string version, string under = "") =>
        Tar(tar =>
        {
            var echo = Path.Combine(TestHost.EchoFolder, Name);
            foreach (var file in Directory.GetFiles(echo, "*", SearchOption.AllDirectories))
            {
                var name = under + Path.GetRelativePath(echo, file);
                if (Path.GetFileName(file) == "manifest.json")
                {
                    Write(tar, name, File.ReadAllText(file).Replace("1.2.3", version, StringComparison.Ordinal));
                }
                else
                {
                    tar.WriteEntry(file, name);
                }
            }
        });

    private static byte[] Broken(string what) =>
        what switch
        {
            "a path above" => Tar(tar => Write(tar, "../outside.txt", "x")),
            "a rooted path" => Tar(tar => Write(tar, "/tmp/outside.txt", "x")),
            "a link" => Tar(tar =>
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "manifest.json") { LinkName = "/etc/passwd" })
            ),
            "a hard link" => new RawTar().Add("a", '0', 0, []).Add("b", '1', 0, []).Gzip(),
            "a device" => Tar(tar =>
                tar.WriteEntry(
                    new PaxTarEntry(TarEntryType.CharacterDevice, "null") { DeviceMajor = 1, DeviceMinor = 3 }
                )
            ),
            "a sparse file" => new RawTar().Add("a", 'S', 10, new byte[10]).Gzip(),
            "two files of one name" => new RawTar().Add("a", '0', 0, []).Add("a", '0', 0, []).Gzip(),
            "a file that is a folder" => new RawTar().Add("a", '0', 0, []).Add("a/b", '0', 0, []).Gzip(),
            "a name too long for any disk" => Tar(tar => Write(tar, new string('a', 5_000), "")),
            "too many" => Tar(tar =>
            {
                for (var i = 0; i < 5_001; i++)
                {
                    Write(tar, $"f{i}", "");
                }
            }),
            "a bomb" => Zeros(400_000_001),
            "a file that claims to be huge" => new RawTar().Add("a", '0', 8_000_000_000, []).Gzip(),
            "another plugin" => Tar(tar =>
            {
                Write(
                    tar,
                    "manifest.json",
                    """{"name":"other","version":"1.2.3","displayName":"O","type":"extension","entrypoints":{"main":"O.dll"}}"""
                );
                Write(tar, "O.dll", "x");
            }),
            "no manifest" => Tar(tar => Write(tar, "readme", "x")),
            "no archive" => Encoding.UTF8.GetBytes("this is no archive"),
            _ => Archive("1.2.3")[..2000],
        };

    private static byte[] Zeros(long size) =>
        Tar(tar =>
        {
            // Takes no room on disk, and next to none in the archive.
            using var zeros = new FileStream(Path.Combine(TestRun.NewFolder(), "zeros"), FileMode.CreateNew);
            zeros.SetLength(size);
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "zeros") { DataStream = zeros });
        });

    private static byte[] Tar(Action<TarWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
        using (var tar = new TarWriter(gzip))
        {
            write(tar);
        }
        return bytes.ToArray();
    }

    private static void Write(TarWriter tar, string name, string content) =>
        tar.WriteEntry(
            new PaxTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
            }
        );
}
