using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Xunit;
using Shouldly;

namespace StreamSpace.Plugins.Tests;

public sealed class ConfigSchemaTests
{
    private static readonly ConfigSchema Schema = new(
        (JsonObject)
            JsonNode.Parse(
                """
                {
                  "properties": {
                    "enabled": { "type": "boolean", "default": true },
                    "apiKey": { "type": "string", "format": "password" },
                    "interval": { "type": "integer", "minimum": 10, "maximum": 300, "default": 60 },
                    "rate": { "type": "number", "minimum": 0, "maximum": 1 },
                    "tags": { "type": "array", "items": { "type": "string" }, "default": ["env:production"] },
                    "userTag": { "type": "string", "enum": ["name", "id", "none"], "default": "name" }
                  }
                }
                """
            )!
    );

    [Fact]
    public void AnAbsentKeyIsItsDefaultAndAbsentStillWhereThereIsNone()
    {
        var read = Read("{}", out var errors);
        errors.ShouldBeEmpty();
        read.ToJsonString().ShouldBe("""{"enabled":true,"interval":60,"tags":["env:production"],"userTag":"name"}""");
    }

    [Theory]
    [InlineData("enabled", "\"false\"", "false")]
    [InlineData("enabled", "\"True\"", "true")]
    [InlineData("interval", "\"60\"", "60")]
    [InlineData("interval", "\" 60 \"", "60")]
    [InlineData("interval", "60.0", "60")]
    [InlineData("rate", "\"0.25\"", "0.25")]
    [InlineData("tags", "\"a:1, b:2\"", """["a:1","b:2"]""")]
    [InlineData("tags", "\"a:1\\nb:2\\r\\n\"", """["a:1","b:2"]""")]
    [InlineData("tags", "\"[\\\"a:1\\\",\\\"b:2\\\"]\"", """["a:1","b:2"]""")]
    [InlineData("tags", "\"\"", "[]")]
    [InlineData("userTag", "\" id \"", "\"id\"")]
    [InlineData("interval", "null", "60")]
    public void WhatStreamSpacesFormWritesIsReadAsItWasMeant(string key, string given, string read)
    {
        var config = Read($$"""{"{{key}}":{{given}}}""", out var errors);
        errors.ShouldBeEmpty();
        config[key]!.ToJsonString().ShouldBe(read);
    }

    [Fact]
    public void AnEnumThatHoldsMoreThanTextsAllowsItsTexts()
    {
        var schema = new ConfigSchema((JsonObject)JsonNode.Parse("""{"properties":{"a":{"enum":[null,1,{},"x"]}}}""")!);
        var errors = new List<ConfigError>();
        schema.Read(new JsonObject { ["a"] = "y" }, errors);
        errors.ShouldHaveSingleItem().Message.ShouldBe("must be one of 1, x.");
    }

    [Theory]
    [InlineData("enabled", "\"yes\"", "true or false")]
    [InlineData("enabled", "1", "true or false")]
    [InlineData("interval", "5", "10 to 300, not 5")]
    [InlineData("interval", "301", "10 to 300, not 301")]
    [InlineData("interval", "\"soon\"", "10 to 300")]
    [InlineData("interval", "60.5", "whole number")]
    [InlineData("interval", "true", "whole number")]
    [InlineData("interval", "1e400", "whole number")]
    [InlineData("rate", "1.01", "0 to 1, not 1.01")]
    [InlineData("rate", "\"NaN\"", "a number")]
    [InlineData("tags", "7", "list of texts")]
    [InlineData("tags", "[1]", "list of texts")]
    [InlineData("tags", "\"[oops\"", "not valid JSON")]
    [InlineData("userTag", "\"nmae\"", "Did you mean name")]
    [InlineData("userTag", "{}", "must be text")]
    [InlineData("apiKey", "[\"a-secret\"]", "must be text")]
    public void AValueOfAnotherKindIsAnErrorThatSaysWhatIsAllowed(string key, string given, string says)
    {
        var config = Read($$"""{"{{key}}":{{given}}}""", out var errors);
        var error = errors.ShouldHaveSingleItem();
        error.Key.ShouldBe(key);
        error.Message.ShouldContain(says);
        error.ToString().ShouldNotContain("a-secret");
        config[key]?.ToJsonString().ShouldBe(Read("{}", out _)[key]?.ToJsonString());
    }

    [Fact]
    public void EveryErrorIsReportedAtOnce()
    {
        Read("""{"enabeld":true,"interval":5,"tags":7,"something":1}""", out var errors);
        errors.Select(f => f.Key).ShouldBe(["enabeld", "something", "interval", "tags"]);
        errors[0].Message.ShouldContain("did you mean \"enabled\"?");
        errors[1].Message.ShouldNotContain("did you mean");
    }

    [Fact]
    public void SecretsAreLeftOutAndNothingElse()
    {
        Schema.IsSecret("apiKey").ShouldBeTrue();
        Schema.IsSecret("unknown").ShouldBeFalse();
        var config = (JsonObject)JsonNode.Parse("""{"apiKey":"k","interval":60,"unknown":1}""")!;
        Schema.WithoutSecrets(config).ToJsonString().ShouldBe("""{"interval":60,"unknown":1}""");
        config.ContainsKey("apiKey").ShouldBeTrue();
    }

    [Property]
    public bool ReadingWhatWasReadChangesNothing(bool enabled, int interval, NonNull<string>[] tags)
    {
        var config = new JsonObject
        {
            ["enabled"] = enabled,
            ["interval"] = interval,
            ["tags"] = new JsonArray([.. tags.Select(t => (JsonNode)t.Get)]),
        };
        var once = Schema.Read(config, new List<ConfigError>());
        var errors = new List<ConfigError>();
        var twice = Schema.Read(once, errors);
        return errors.Count == 0 && JsonNode.DeepEquals(once, twice);
    }

    private static JsonObject Read(string json, out List<ConfigError> errors)
    {
        errors = [];
        return Schema.Read((JsonObject)JsonNode.Parse(json)!, errors);
    }
}
