using Shouldly;
using Xunit;

namespace StreamSpace.Platform.Tests.Feed;

public class BackOffTests
{
    private readonly BackOff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 16)]
    [InlineData(6, 30)]
    [InlineData(int.MaxValue, 30)]
    public void TheWaitDoublesUpToItsLimitAndItsUpperHalfIsChance(int failures, double longest)
    {
        _backoff.After(failures, 0).ShouldBe(TimeSpan.FromSeconds(longest / 2));
        _backoff.After(failures, 0.5).ShouldBe(TimeSpan.FromSeconds(longest * 0.75));
        _backoff.After(failures, 0.999).ShouldBeLessThan(TimeSpan.FromSeconds(longest));
    }
}
