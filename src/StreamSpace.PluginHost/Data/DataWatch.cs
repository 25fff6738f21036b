using Microsoft.Data.Sqlite;
using StreamSpace.Platform.Store;

namespace StreamSpace.PluginHost.Data;

/// <summary>
/// Looks every two seconds whether what this process works on still lies under its names, and makes anew what was taken
/// away: the data folder, its lock, the plugins' folders in it, and the host's own file.
/// </summary>
/// <param name="plugins">The names of those that run.</param>
/// <param name="data">The folder.</param>
/// <param name="file">The host's own file in it.</param>
/// <param name="clock">Our clock.</param>
/// <param name="logger">Takes what was made anew.</param>
internal sealed class DataWatch(
    Func<IEnumerable<string>> plugins,
    DataFolder data,
    HostFile file,
    TimeProvider clock,
    ILogger logger
) : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private volatile string? _error;

    /// <summary>What could not be made anew, and why, in one sentence; null when all is there.</summary>
    public string? Error => _error;

    public void Start() => _running = RunAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (!_stop.IsCancellationRequested)
        {
            _error = await Task.Run(Look);
            try
            {
                await timer.WaitForNextTickAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private string? Look()
    {
        try
        {
            if (data.Taken() is { } taken)
            {
                return taken;
            }
            if (data.Stand() is { } made)
            {
                logger.LogError("{Made}", made);
            }
            foreach (var plugin in plugins())
            {
                data.Folder(plugin);
            }
            file.Stand();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            return SafeErrorText.Of(e, data.Path);
        }
    }
}
