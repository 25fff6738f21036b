namespace AgentlessDatadog.Tests;

/// <summary>
/// A folder for the file of a store: in memory where the machine has such a place, which is quicker, or on the disk
/// where a test needs commits that take their time.
/// </summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly string _folder;

    public StoreFolder(bool onDisk = false)
    {
        var place = !onDisk && Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _folder = Path.Combine(place, "store-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(_folder);
    }

    public string File => Path.Combine(_folder, "telemetry.db");

    public string[] Names => [.. Directory.GetFiles(_folder).Select(file => Path.GetFileName(file)).Order()];

    public SqliteStore NewStore() => new(File, TimeProvider.System);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
