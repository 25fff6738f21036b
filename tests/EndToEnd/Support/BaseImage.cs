using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EndToEnd.Support;

/// <summary>
/// A registry on loopback with one image, which says of itself what the ASP.NET Core image says and holds no files: what
/// is built on it shows everything that we add.
/// </summary>
public sealed class BaseImage : IAsyncDisposable
{
    private readonly WebApplication _web;

    private BaseImage(WebApplication web) => _web = web;

    /// <summary>As <c>ContainerBaseImage</c> takes it.</summary>
    public string Name { get; private set; } = "";

    public static async Task<BaseImage> StartAsync()
    {
        var layer = EmptyLayer(out var plain);
        var config = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                architecture = "amd64",
                os = "linux",
                config = new { Env = (string[])["PATH=/usr/bin", "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080"] },
                rootfs = new { type = "layers", diff_ids = (string[])[Digest(plain)] },
                history = (object[])[new { created_by = "nobody" }],
            }
        );
        const string docker = "application/vnd.docker";
        var manifest = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                schemaVersion = 2,
                mediaType = $"{docker}.distribution.manifest.v2+json",
                config = Part($"{docker}.container.image.v1+json", config),
                layers = (object[])[Part($"{docker}.image.rootfs.diff.tar.gzip", layer)],
            }
        );
        var blobs = new Dictionary<string, byte[]> { [Digest(config)] = config, [Digest(layer)] = layer };

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var web = builder.Build();
        web.MapGet("/v2/", () => Results.Ok());
        web.MapGet(
            "/v2/base/manifests/{reference}",
            () => Results.Bytes(manifest, $"{docker}.distribution.manifest.v2+json")
        );
        web.MapGet("/v2/base/blobs/{digest}", (string digest) => Results.Bytes(blobs[digest]));
        await web.StartAsync();
        var address = web
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.Single();
        return new BaseImage(web) { Name = $"localhost:{new Uri(address).Port}/base:1" };
    }

    public ValueTask DisposeAsync() => _web.DisposeAsync();

    private static object Part(string mediaType, byte[] bytes) =>
        new
        {
            mediaType,
            size = bytes.Length,
            digest = Digest(bytes),
        };

    private static string Digest(byte[] bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    private static byte[] EmptyLayer(out byte[] plain)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "tmp/"));
        }
        plain = tar.ToArray();
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain);
        }
        return zipped.ToArray();
    }
}
