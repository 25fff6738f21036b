using System.Text.Json.Nodes;
using Shouldly;

namespace StreamSpace.Plugins.Tests;

public sealed class PluginManifestTests
{
    private const string Good = """
        {
          "name": "streamspace-sample",
          "version": "1.20.3",
          "displayName": "Sample",
          "type": "extension",
          "entrypoints": { "main": "Sample.dll" },
          "configSchema": { "properties": { "key": { "type": "string", "format": "password" } } },
          "defaultConfig": { "key": "" },
          "homepage": "https://example.org"
        }
        """;

    [Fact]
    public void AWholeManifestIsRead()
    {
        var manifest = PluginManifest.Parse(Good);
        manifest.Name.ShouldBe("streamspace-sample");
        manifest.Route.ShouldBe("sample");
        manifest.Version.ShouldBe("1.20.3");
        manifest.DisplayName.ShouldBe("Sample");
        manifest.EntryPoint.ShouldBe("Sample.dll");
        manifest.ConfigSchema.IsSecret("key").ShouldBeTrue();
        manifest.DefaultConfig.ContainsKey("key").ShouldBeTrue();
        ((string?)manifest.Json["homepage"]).ShouldBe("https://example.org");
    }

    [Fact]
    public void ANameWithoutThePlatformsPrefixIsItsOwnRoute() =>
        With("name", "sample").ShouldNotThrow().Route.ShouldBe("sample");

    [Fact]
    public void WithoutASchemaAndDefaultsBothAreEmpty()
    {
        var json = (JsonObject)JsonNode.Parse(Good)!;
        json.Remove("configSchema");
        json.Remove("defaultConfig");
        var manifest = PluginManifest.Parse(json.ToJsonString());
        manifest.ConfigSchema.Keys.ShouldBeEmpty();
        manifest.DefaultConfig.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("name", "Sample", "lower-case")]
    [InlineData("name", "../sample", "lower-case")]
    [InlineData("name", "", "name is missing")]
    [InlineData("name", "sample\n", "lower-case")]
    [InlineData("version", "1.0", "three numbers")]
    [InlineData("version", "1.0.0-beta", "three numbers")]
    [InlineData("type", "integration", "extension, webhook, api, ui, theme")]
    [InlineData("displayName", null, "displayName is missing")]
    [InlineData("entrypoints", null, "entrypoints.main is missing")]
    public void AWrongKeyIsNamedWithWhatIsAllowed(string key, string? value, string says) =>
        Should.Throw<FormatException>(With(key, value)).Message.ShouldContain(says);

    [Theory]
    [InlineData("../Sample.dll")]
    [InlineData("/tmp/Sample.dll")]
    [InlineData("sub/Sample.dll")]
    [InlineData("sub\\Sample.dll")]
    [InlineData("Sample.so")]
    [InlineData(".dll")]
    [InlineData("")]
    public void AnEntryPointOutsideTheFolderIsRefused(string main)
    {
        var json = (JsonObject)JsonNode.Parse(Good)!;
        json["entrypoints"] = new JsonObject { ["main"] = main };
        Should.Throw<FormatException>(() => PluginManifest.Parse(json.ToJsonString()));
    }

    [Fact]
    public void EveryErrorIsReportedAtOnce()
    {
        var error = Should.Throw<FormatException>(() => PluginManifest.Parse("""{"name":"No","type":"plugin"}"""));
        foreach (var word in new[] { "name", "version", "displayName", "type", "entrypoints.main" })
        {
            error.Message.ShouldContain(word);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"name":7,"entrypoints":[]}""")]
    [InlineData("""{"name":"a","name":"b"}""")]
    [InlineData("""{"name":"\ud800"}""")]
    [InlineData("""{"\ud800":1}""")]
    public void WhatIsNoManifestIsAFormatException(string text) =>
        Should.Throw<FormatException>(() => PluginManifest.Parse(text));

    private static Func<PluginManifest> With(string key, string? value)
    {
        var json = (JsonObject)JsonNode.Parse(Good)!;
        json[key] = value;
        return () => PluginManifest.Parse(json.ToJsonString());
    }
}
