using AgentlessDatadog.Store.Sqlite;

namespace AgentlessDatadog.Tests.Store;

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

    public string Log => File + "-wal";

    public string[] Files => Directory.GetFiles(_folder);

    public string[] Names => [.. Files.Select(file => Path.GetFileName(file)).Order()];

    public SqliteStore NewStore() => new(File, TimeProvider.System);

    public byte[] ReadFile() => System.IO.File.ReadAllBytes(File);

    public byte[] ReadLog() => System.IO.File.ReadAllBytes(Log);

    public void WriteFile(byte[] bytes) => System.IO.File.WriteAllBytes(File, bytes);

    public void WriteFile(string text) => System.IO.File.WriteAllText(File, text);

    public void WriteLog(byte[] bytes) => System.IO.File.WriteAllBytes(Log, bytes);

    public void Dispose()
    {
        TestRun.Search.LookAtFolder(_folder);
        Directory.Delete(_folder, recursive: true);
    }
}
