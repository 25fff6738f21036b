using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using EndToEnd.Support;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>What is deployed besides the manifests: the image and the unit.</summary>
public sealed class DeployTests
{
    [Fact]
    public async Task TheImageIsBuiltAsTheDeploymentRunsIt()
    {
        var folder = TestRun.NewFolder();
        await using var registry = await BaseImage.StartAsync();
        await BuiltProgram.PublishAsync(
            "StreamSpace.PluginHost",
            "--no-build",
            "-t:PublishContainer",
            $"-p:ContainerBaseImage={registry.Name}",
            $"-p:ContainerArchiveOutputPath={folder}/image.tar"
        );
        await TarFile.ExtractToDirectoryAsync(Path.Combine(folder, "image.tar"), folder, false);

        var image = (await JsonAsync(Path.Combine(folder, "manifest.json")))[0];
        var config = (await JsonAsync(Path.Combine(folder, image.GetProperty("Config").GetString()!))).GetProperty(
            "config"
        );
        var pod = Deployment().Spec.Template.Spec;
        var container = pod.Containers.Single();
        image.GetProperty("RepoTags")[0].GetString().ShouldBe(container.Image);
        config.GetProperty("User").GetString().ShouldBe($"{pod.SecurityContext.RunAsUser}");
        config
            .GetProperty("ExposedPorts")
            .TryGetProperty($"{container.Ports.Single().ContainerPort}/tcp", out _)
            .ShouldBeTrue();
        config
            .GetProperty("Entrypoint")
            .EnumerateArray()
            .Select(e => e.GetString())
            .ShouldBe(["dotnet", "/app/StreamSpace.PluginHost.dll"]);
        // The guide's "./StreamSpace.PluginHost check" stands on this folder.
        config.GetProperty("WorkingDir").GetString()!.TrimEnd('/').ShouldBe("/app");

        // Laid out, it answers with nothing of ours beside it.
        var root = Path.Combine(folder, "root");
        Directory.CreateDirectory(root);
        await using (var layer = File.OpenRead(Path.Combine(folder, image.GetProperty("Layers")[1].GetString()!)))
        await using (var plain = new GZipStream(layer, CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(plain, root, overwriteFiles: false);
        }
        var app = Path.Combine(root, "app");
        File.Exists(Path.Combine(app, "plugins", "streamspace-datadog", "manifest.json")).ShouldBeTrue();
        await using var check = BuiltProgram.StartAt(
            Path.Combine(app, "StreamSpace.PluginHost.dll"),
            ["check", "--data", Path.Combine(folder, "data")]
        );
        // Nothing but warnings: it is attached to nothing.
        (await check.EndAsync()).ShouldBe(0, check.Output);
        check.Output.ShouldContain("config");
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task TheUnitRestartsWithTheApiAndShutsOutWhatTheRuntimeCanDoWithout()
    {
        var unit = (
            await File.ReadAllLinesAsync(Path.Combine(Repository(), "deploy", "systemd", "streamspace-datadog.service"))
        )
            .Where(l => l.Contains('=', StringComparison.Ordinal) && !l.StartsWith('#'))
            .Select(l => l.Split('=', 2))
            .ToLookup(l => l[0], l => l[1]);

        unit["PartOf"].ShouldBe(["streamspace-api.service"]);
        unit["DynamicUser"].ShouldBe(["yes"]);
        unit["ProtectSystem"].ShouldBe(["strict"]);
        unit["LoadCredential"].Single().ShouldStartWith("dd-api-key:");
        unit["Environment"].ShouldContain("DD_API_KEY_FILE=%d/dd-api-key");
        // The runtime sets the affinity of its threads; without that it is killed, or does not start.
        unit["SystemCallFilter"].ShouldBe(["@system-service", "~@privileged"]);
        unit["SystemCallErrorNumber"].ShouldBe(["EPERM"]);
        // It compiles as it goes.
        unit["MemoryDenyWriteExecute"].ShouldBeEmpty();
    }

    private static V1Deployment Deployment()
    {
        var yaml = File.ReadAllText(Path.Combine(Repository(), "deploy", "kubernetes", "deployment.yaml"));
        return KubernetesYaml.LoadAllFromString(yaml, null, strict: true).OfType<V1Deployment>().Single();
    }

    private static async Task<JsonElement> JsonAsync(string file)
    {
        await using var stream = File.OpenRead(file);
        return await JsonSerializer.DeserializeAsync<JsonElement>(stream);
    }

    private static string Repository() => Path.GetDirectoryName(BuiltProgram.SourceFolder.TrimEnd('/'))!;
}
