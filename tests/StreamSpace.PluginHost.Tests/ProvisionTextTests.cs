using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Commands;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What an operator reads of a run of <c>provision</c>.</summary>
public sealed class ProvisionTextTests
{
    [Fact]
    public void TheHeadSaysHowManyAndEachChangeNamesItsFields()
    {
        var run = Run(
            """
            {
              "state": "done", "dryRun": true, "error": null,
              "counts": { "none": 1, "create": 1, "update": 1, "remove": 0, "wait": 1, "fail": 0 },
              "assets": [
                { "kind": "metadata", "key": "a.b", "name": "a.b", "change": "wait" },
                { "kind": "slo", "key": "s", "name": "Starts", "change": "none" },
                { "kind": "monitor", "key": "m", "name": "High Session Count Alert", "change": "update", "differences": [
                    { "field": "options.thresholds.critical", "now": 120, "wanted": 100 },
                    { "field": "message", "now": null, "wanted": "it's so" } ] },
                { "kind": "dashboard", "key": "d", "name": "Session\nOverview", "change": "create" }
              ]
            }
            """
        );
        ProvisionText
            .Of(run, Terminal.None)
            .ReplaceLineEndings("\n")
            .ShouldBe(
                """
                2 would be changed; nothing was done.
                update    monitor    High Session Count Alert
                          options.thresholds.critical: 120 → 100
                          message: nothing → "it's so"
                create    dashboard  Session Overview
                1 metrics have not reported to Datadog yet, and are tried again by themselves: a.b.
                """
            );
        ProvisionText.IsWell(run).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 0, null, "Nothing to do: everything is as it should be.", true)]
    [InlineData(2, 0, null, "2 changed.", true)]
    [InlineData(2, 1, null, "2 changed, 1 could not be done.", false)]
    [InlineData(0, 3, null, "3 could not be done; nothing was changed.", false)]
    [InlineData(1, 0, "Datadog cannot be reached.", "1 changed.", false)]
    public void WhatFailedIsSaidAndIsTheExitCode(int created, int failed, string? error, string head, bool isWell)
    {
        var run = Run("""{"state":"done","dryRun":false,"counts":{"none":0},"assets":[]}""");
        (run["counts"]!["create"], run["counts"]!["fail"], run["error"]) = (created, failed, error);
        var lines = ProvisionText.Of(run, Terminal.None).Split(Environment.NewLine);
        lines[0].ShouldBe(head);
        lines.Skip(1).ShouldBe(error is null ? [] : [error]);
        ProvisionText.IsWell(run).ShouldBe(isWell);
    }

    private static JsonObject Run(string json) => (JsonObject)JsonNode.Parse(json)!;
}
