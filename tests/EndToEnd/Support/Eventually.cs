namespace EndToEnd.Support;

public static class Eventually
{
    // A process that is asked all the time does little else.
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Asks again until <paramref name="ask"/> gives something; when that is not to be had, fails with
    /// <paramref name="what"/>. For far ends that offer no signal to wait on.
    /// </summary>
    public static async Task<T> GetAsync<T>(string what, Func<Task<T?>> ask)
        where T : class
    {
        T? found = null;
        await Patience.Until(
            async () => (found = await ask()) is not null,
            () => $"Waited in vain for {what}.",
            AskEvery
        );
        return found!;
    }
}
