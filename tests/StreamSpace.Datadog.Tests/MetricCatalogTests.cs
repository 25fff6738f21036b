using System.Text.Json;
using System.Text.RegularExpressions;
using AgentlessDatadog;
using Shouldly;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Datadog.Tests.Support;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What is said of a metric in one place is so on the wire and in the documents.</summary>
public sealed partial class MetricCatalogTests
{
    [Fact]
    public void TheDocumentHasARowForEachMetricWithItsTypeUnitAndTags()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "metrics.md"));
        Row()
            .Matches(text)
            .Select(row => $"{row.Groups[1].Value} | {row.Groups[2].Value} | {Sorted(row.Groups[3].Value)}")
            .ShouldBe(
                MetricCatalog
                    .OfPlatform.Concat(MetricCatalog.OfItself)
                    .Select(m =>
                        $"{m.Name} | {m.Type.ToString().ToLowerInvariant()}{(m.Unit is null ? "" : $", {m.Unit}")} | {Sorted(string.Join(", ", m.Tags))}"
                    ),
                ignoreOrder: true
            );
    }

    [Fact]
    public void EachMetricIsThereOnceAndDescribedWithinDatadogsLimit()
    {
        MetricCatalog.All.Select(m => m.Name).ShouldBeUnique();
        MetricCatalog.All.ShouldAllBe(m => m.Description.Length > 0 && m.Description.Length <= 400);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task EveryMetricOnTheWireIsInTheCatalogWithItsType(string distributions)
    {
        await using var run = await PluginRun.StartAsync(
            $$"""{"site":"sandbox","metricsInterval":10,"useDistributions":{{distributions}}}"""
        );
        var session = Some.Session("ada-chrome", run.Now.AddMinutes(-3));
        await run.HandleAsync(Some.Created(session), Some.Login("ada", run.Now));
        run.Measure(session, cpu: 20, memory: 1e9, storage: 2e9);
        await run.FlushAsync();
        await run.HandleAsync(Some.Ended(session, run.Now));
        await run.FlushAsync();
        var names = await run.GetAsync($"/api/v1/metrics?from={run.Now.AddHours(-1).ToUnixTimeSeconds()}");
        // Those of traces Datadog counts itself.
        var sent = names
            .GetProperty("metrics")
            .EnumerateArray()
            .Select(n => n.GetString()!)
            .Where(n => !n.StartsWith("trace.", StringComparison.Ordinal))
            .ToList();
        sent.Count.ShouldBeGreaterThan(15);
        foreach (var name in sent)
        {
            var metric = MetricCatalog.All.SingleOrDefault(m => m.Name == name);
            metric.ShouldNotBeNull(name);
            var metadata = await run.GetAsync($"/api/v1/metrics/{name}");
            metadata.GetProperty("type").GetString().ShouldBe(metric.Type.ToString().ToLowerInvariant(), name);
            // A distribution's points bear none, nor do those about the pipeline: metadata brings theirs.
            if (metric.Type is not MetricType.Distribution && !MetricCatalog.OfItself.Contains(metric))
            {
                Text(metadata, "unit").ShouldBe(metric.Unit, name);
            }
        }
    }

    private static string? Text(JsonElement json, string field) =>
        json.TryGetProperty(field, out var value) && value.GetString() is { Length: > 0 } text ? text : null;

    private static string Sorted(string tags) =>
        string.Join(
            ", ",
            tags.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Order(StringComparer.Ordinal)
        );

    [GeneratedRegex(@"^\| `(streamspace\.[\w.]+)` \| ([\w, ]+) \| ([\w, ]*) ?\|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
