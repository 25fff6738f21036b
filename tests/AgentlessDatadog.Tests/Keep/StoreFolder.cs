namespace AgentlessDatadog.Tests;

/// <summary>A folder for one test, in memory where the machine has such a place, as a test's fsync proves nothing.</summary>
internal sealed class StoreFolder : IDisposable
{
    private static readonly string Place = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    private readonly string _folder = Path.Combine(Place, "store-" + Guid.NewGuid().ToString("N"));

    public StoreFolder() => Directory.CreateDirectory(_folder);

    public string File => Path.Combine(_folder, "telemetry.db");

    public string[] Names => [.. Directory.GetFiles(_folder).Select(file => Path.GetFileName(file)).Order()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
