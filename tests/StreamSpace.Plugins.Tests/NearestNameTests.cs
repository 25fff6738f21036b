using FsCheck;
using FsCheck.Xunit;
using Shouldly;

namespace StreamSpace.Plugins.Tests;

public sealed class NearestNameTests
{
    private static readonly string[] Known = ["apiKey", "appKey", "site", "globalTags", "metricsInterval"];

    [Theory]
    [InlineData("apikey", "apiKey")]
    [InlineData("appkeys", "appKey")]
    [InlineData("globaltag", "globalTags")]
    [InlineData("interval", null)]
    [InlineData("metricInterval", "metricsInterval")]
    [InlineData("sites", "site")]
    [InlineData("stie", "site")]
    [InlineData("zzzzzz", null)]
    [InlineData("", null)]
    public void TheKnownNameWithTheFewestEditsIsMeant(string typed, string? meant) =>
        NearestName.Of(typed, Known).ShouldBe(meant);

    [Theory]
    [InlineData("nope", "type")]
    [InlineData("on", "of")]
    public void AWordOfWhichMoreThanAThirdIsAnotherIsNotMeant(string typed, string known) =>
        NearestName.Of(typed, [known]).ShouldBeNull();

    [Property]
    public bool AKnownNameIsItsOwnNearest(NonEmptyString name) => NearestName.Of(name.Get, [name.Get]) == name.Get;
}
