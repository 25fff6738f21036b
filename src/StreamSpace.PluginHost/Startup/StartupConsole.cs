namespace StreamSpace.PluginHost.Startup;

/// <summary>Says on the console, line by line and in plain words, what the process does.</summary>
internal sealed class StartupConsole(TextWriter output, TimeProvider clock)
{
    // A step that takes longer than this is announced, so that nobody sits before a silent screen.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    public void Say(string line)
    {
        lock (output)
        {
            output.WriteLine(OneLine.Of(line));
            output.Flush();
        }
    }

    /// <summary>Does <paramref name="step"/>; when it takes long, says so, as in "Still loading the plugin…".</summary>
    public async Task<T> StepAsync<T>(string doing, Func<Task<T>> step)
    {
        await using var timer = clock.CreateTimer(_ => Say($"Still {doing} …"), null, Silence, Silence * 5);
        return await step();
    }

    /// <inheritdoc cref="StepAsync{T}"/>
    public Task StepAsync(string doing, Func<Task> step) =>
        StepAsync(
            doing,
            async () =>
            {
                await step();
                return true;
            }
        );
}
