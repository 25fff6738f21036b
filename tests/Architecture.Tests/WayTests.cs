using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Architecture.Tests;

/// <summary>The way of one fact, as the architecture tells it, leads through places that there are.</summary>
public sealed partial class WayTests
{
    [Fact]
    public void EachPlaceOfTheWayIsATypeAndTheWayIsShort()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "architecture.md"));
        var way = text[text.IndexOf("## The way of one", StringComparison.Ordinal)..];
        var rows = Row().Matches(way[..way.IndexOf("## Where to look", StringComparison.Ordinal)]);
        rows.Count.ShouldBeInRange(2, 12);
        var types = Repository.Files(".cs").Select(Path.GetFileNameWithoutExtension).ToHashSet();
        rows.SelectMany(row => TypeName().Matches(row.Value).Select(name => name.Groups[1].Value))
            .Where(name => !types.Contains(name) && name != "SessionCreated")
            .ShouldBeEmpty();
    }

    [GeneratedRegex(@"^\| \d+ .*$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`([A-Z]\w+)`")]
    private static partial Regex TypeName();
}
