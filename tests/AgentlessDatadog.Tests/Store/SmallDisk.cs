using System.Diagnostics;

namespace AgentlessDatadog.Tests.Store;

/// <summary>A file system of a few megabytes in memory, where the right to mount one is given.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "disk-" + Guid.NewGuid().ToString("N"));

    private SmallDisk() => Directory.CreateDirectory(_folder);

    public string Folder => _folder;

    public string File => Path.Combine(_folder, "telemetry.db");

    private string Ballast => Path.Combine(_folder, "ballast");

    public static SmallDisk? TryMount(int megabytes = 4)
    {
        var disk = new SmallDisk();
        if (OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "none", disk._folder))
        {
            return disk;
        }

        Directory.Delete(disk._folder);
        return null;
    }

    public bool Remount(string mode) => Run("mount", "-o", $"remount,{mode}", _folder);

    /// <summary>Takes all room that is left.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // Full, as wanted.
        }
    }

    public void Empty() => System.IO.File.Delete(Ballast);

    public void Dispose()
    {
        TestRun.Search.LookAtFolder(_folder);
        // Lazily: what a failed test has left open must not leave the mount behind as well.
        Run("umount", "-l", _folder);
        Directory.Delete(_folder);
    }

    private static bool Run(string program, params string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
