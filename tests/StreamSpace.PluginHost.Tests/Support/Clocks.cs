using Microsoft.Extensions.Time.Testing;

namespace StreamSpace.PluginHost.Tests.Support;

internal static class Clocks
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Moves the clock on step by step until <paramref name="work"/> ends; gives the time it took by that clock. A step
    /// takes at least as long as the machine needs for a few other things, so that a slow one is not outrun.
    /// </summary>
    public static async Task<TimeSpan> AdvanceUntilAsync(this FakeTimeProvider clock, Task work)
    {
        var begin = clock.GetUtcNow();
        await Patience.Until(async () =>
        {
            for (var other = 0; other < 10; other++)
            {
                await Task.Run(() => { });
            }
            if (!work.IsCompleted)
            {
                clock.Advance(Step);
            }
            return work.IsCompleted;
        });
        return clock.GetUtcNow() - begin;
    }
}
