using AgentlessDatadog.Delivery;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

public sealed class BackOffTests
{
    [Theory]
    [InlineData(0.0, new[] { 2, 4, 8, 16, 32, 32, 32 })]
    [InlineData(0.999999, new[] { 4, 8, 16, 32, 64, 64, 64 })]
    public void TheWaitDoublesFrom2To64SecondsWithinItsUpperHalf(double chance, int[] seconds)
    {
        var backOff = new BackOff(() => chance);
        seconds.Select(_ => Math.Round(backOff.Failed(null).TotalSeconds)).ShouldBe(seconds.Select(s => (double)s));
    }

    [Fact]
    public void AfterAFailureARequestGoesAloneUntilOneSucceeds()
    {
        var backOff = new BackOff(() => 0);
        backOff.IsProbing.ShouldBeFalse();
        backOff.Failed(null);
        backOff.IsProbing.ShouldBeTrue();
        backOff.Succeeded();
        backOff.IsProbing.ShouldBeFalse();
        backOff.Failed(null).TotalSeconds.ShouldBe(2);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(50, 50)]
    [InlineData(1_000_000, 900)]
    public void TheServerMayAskForMoreWithinReason(int asked, int seconds) =>
        new BackOff(() => 0).Failed(TimeSpan.FromSeconds(asked)).TotalSeconds.ShouldBe(seconds);

    [Fact]
    public void AThousandFailuresDoNotOverflow()
    {
        var backOff = new BackOff(() => 0.5);
        for (var i = 0; i < 1000; i++)
        {
            backOff.Failed(null).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(64));
        }
    }
}
