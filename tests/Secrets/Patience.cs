namespace Secrets;

/// <summary>
/// How long tests wait for what should happen, in every project. Nobody waits it out but a test that fails, so that it is
/// for a machine far slower than any that one would work on.
/// </summary>
public static class Patience
{
    /// <summary>For one thing to happen.</summary>
    public static readonly TimeSpan Enough = TimeSpan.FromMinutes(3);

    /// <summary>Looks until something holds.</summary>
    /// <param name="holds">What should become true.</param>
    /// <param name="otherwise">Says how things stand when it did not.</param>
    /// <exception cref="TimeoutException">It did not become true.</exception>
    public static Task Until(Func<bool> holds, Func<string>? otherwise = null) =>
        Until(() => Task.FromResult(holds()), TimeSpan.FromMilliseconds(1), otherwise);

    /// <summary>Asks until something holds.</summary>
    /// <param name="holds">Asks for it.</param>
    /// <param name="otherwise">Says how things stand when it did not become true.</param>
    /// <param name="every">How long to wait before it is asked again; null for not long.</param>
    /// <exception cref="TimeoutException">It did not become true.</exception>
    public static Task Until(Func<Task<bool>> holds, Func<string>? otherwise = null, TimeSpan? every = null) =>
        Until(holds, every ?? TimeSpan.FromMilliseconds(20), otherwise);

    private static async Task Until(Func<Task<bool>> holds, TimeSpan again, Func<string>? otherwise)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(begun) > Enough)
            {
                throw new TimeoutException(otherwise?.Invoke() ?? "What was waited for did not happen.");
            }

            await Task.Delay(again, TimeProvider.System);
        }
    }
}
