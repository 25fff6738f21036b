using AgentlessDatadog.Store;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>However many keys come, they take no more than a bounded room; the oldest make it.</summary>
public sealed class SeenKeysTests
{
    [Fact]
    public void AMillionKeysAreKnown()
    {
        const int most = 1_000_000;
        var seen = new SeenKeys();
        for (uint i = 0; i <= most; i++)
        {
            seen.Add(new SeenKey(i, i));
        }

        seen.Trim(now: 0).ShouldBe(1);
        seen.Contains(new SeenKey(0, 0)).ShouldBeFalse();
        seen.Contains(new SeenKey(1, 0)).ShouldBeTrue();
    }
}
