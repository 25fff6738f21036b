using Microsoft.Extensions.Time.Testing;
using Shouldly;

namespace StreamSpace.PluginHost.Tests.Support;

internal static class Clocks
{
    /// <summary>Moves the clock on second by second until <paramref name="work"/> ends; gives the time it took by that clock.</summary>
    public static async Task<TimeSpan> AdvanceUntilAsync(this FakeTimeProvider clock, Task work)
    {
        var begin = clock.GetUtcNow();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!work.IsCompleted)
        {
            (clock.GetUtcNow() - begin).ShouldBeLessThan(TimeSpan.FromMinutes(10));
            await timer.WaitForNextTickAsync();
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        return clock.GetUtcNow() - begin;
    }
}
