using AgentlessDatadog.Signals;
using FsCheck.Xunit;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals;

public sealed class TagSetTests
{
    [Theory]
    [InlineData("user:Ann", "user:ann")]
    [InlineData("user:ann b", "user:ann_b")]
    [InlineData("user:ann@x.org", "user:ann_x.org")]
    [InlineData("1user:ann", "user:ann")]
    [InlineData("user:", "user")]
    [InlineData("user:::", "user")]
    [InlineData("user:Zoë", "user:zoë")]
    [InlineData("user:a,b;c", "user:a_b_c")]
    [InlineData("user:a\nb", "user:a_b")]
    [InlineData("123", "")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void ATagIsNormalisedAsDatadogDoes(string? tag, string normal) => TagSet.Normalise(tag).ShouldBe(normal);

    [Fact]
    public void ATagIsCutAt200CharactersAndNeverWithinOne()
    {
        TagSet.Normalise("k:" + new string('a', 300)).Length.ShouldBe(200);
        var torn = TagSet.Normalise("k:" + new string('a', 197) + "𝒳𝒳");
        torn.Length.ShouldBe(199);
        char.IsSurrogate(torn[^1]).ShouldBeFalse();
    }

    [Fact]
    public void TagsAreSortedAndEachIsThereOnce() =>
        TagSet.Of(["b:2", "a:1", "B:2", "", "a:1"]).ShouldBe(["a:1", "b:2"]);

    [Property]
    public bool NormalisingTwiceChangesNothing(string? tag) =>
        TagSet.Normalise(TagSet.Normalise(tag)) == TagSet.Normalise(tag);
}
