namespace EndToEnd.Support;

public static class Eventually
{
    /// <summary>
    /// Asks again until <paramref name="ask"/> gives something, at most <paramref name="patience"/>; then fails with
    /// <paramref name="what"/>. For far ends that offer no signal to wait on.
    /// </summary>
    public static async Task<T> GetAsync<T>(string what, TimeSpan patience, Func<Task<T?>> ask)
        where T : class
    {
        using var over = new CancellationTokenSource(patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            if (await ask() is { } found)
            {
                return found;
            }
            try
            {
                await again.WaitForNextTickAsync(over.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited {patience.TotalSeconds} s for {what}.");
            }
        }
    }
}
