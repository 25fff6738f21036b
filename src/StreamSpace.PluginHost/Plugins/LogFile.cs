using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NamedFiles;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// A log under one name that never changes: what is full, or of yesterday, is copied to a file of its own and cut off here,
/// so that <c>tail -f</c> goes on. It is opened anew for each line: whoever moves, deletes or empties it, as logrotate
/// does, finds the next line under the name again. Folders may be shared: of several instances one has the name at a time, and
/// each removes only what it has written itself.
/// </summary>
internal sealed class LogFile : ILogEventSink, IDisposable
{
    private const long Largest = 10_000_000;
    private const int KeptFiles = 7;

    private readonly Lock _lock = new();
    private readonly ITextFormatter _lines;
    private readonly TimeProvider _clock;
    private readonly string _folder;
    private readonly string _name;
    private readonly string _instance;
    private readonly FileStream? _owner;
    private DateOnly _day;

    private LogFile(string folder, LogFileOptions options, FileStream? owner)
    {
        (_folder, _name, _instance, _owner) = (folder, options.Name, options.Instance, owner);
        (_lines, _clock) = (options.Lines, options.Clock);
        Path = System.IO.Path.Combine(folder, $"{_name}.log");
        _day = Today;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    private DateOnly Today => DateOnly.FromDateTime(_clock.GetUtcNow().UtcDateTime);

    /// <summary>Takes the name in the first of these folders that can be written and where no other instance has it; else in the last.</summary>
    public static LogFile Take(IReadOnlyList<string> folders, LogFileOptions options) =>
        folders.Select(folder => TryTake(folder, options)).FirstOrDefault(file => file is not null)
        ?? new LogFile(folders[^1], options, owner: null);

    public void Emit(LogEvent logEvent)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        _lines.Format(logEvent, line);
        var bytes = Encoding.UTF8.GetBytes(line.ToString());
        lock (_lock)
        {
            try
            {
                RollWhenDue(bytes.Length);
                Append(bytes);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // There is nowhere left to say so: what is worse than information is on the console as well.
            }
        }
    }

    /// <summary>Removes what this instance has written. To be called once it is disposed.</summary>
    public void Remove()
    {
        using (var owner = TryOwn(OwnerPath))
        {
            if (owner is null || InstanceIn(owner) != _instance)
            {
                return;
            }
            File.Delete(Path);
            File.Delete(OwnerPath);
        }
        foreach (var file in Rolled())
        {
            File.Delete(file);
        }
    }

    public void Dispose() => _owner?.Dispose();

    private static LogFile? TryTake(string folder, LogFileOptions options)
    {
        try
        {
            PrivateFiles.MakeFolder(folder);
            var path = System.IO.Path.Combine(folder, options.Name);
            if (TryOwn($"{path}.owner") is not { } owner)
            {
                return null;
            }
            var file = new LogFile(folder, options, owner);
            file.Inherit(InstanceIn(owner));
            owner.SetLength(0);
            owner.Write(Encoding.UTF8.GetBytes(options.Instance));
            owner.Flush();
            // What cannot be written is no place for a log.
            file.Append([]);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Null: another process has it. The lock goes with the process, however it ends.
    private static FileStream? TryOwn(string path)
    {
        try
        {
            return PrivateFiles.Open(path, FileMode.OpenOrCreate);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string InstanceIn(FileStream owner)
    {
        using var reader = new StreamReader(owner, leaveOpen: true);
        return reader.ReadToEnd();
    }

    // Another instance had the name before: what it wrote stays, under the name that it would have been rolled to.
    private void Inherit(string before)
    {
        var file = new FileInfo(Path);
        if (file.LinkTarget is not null)
        {
            file.Delete();
        }
        else if (file.Exists && before != _instance)
        {
            File.Move(Path, RolledName(before));
        }
        else if (file.Exists)
        {
            _day = DateOnly.FromDateTime(file.LastWriteTimeUtc);
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        PrivateFiles.MakeFolder(_folder);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using var file = new FileStream(Path, options);
        file.Write(bytes);
    }

    private void RollWhenDue(int more)
    {
        var file = new FileInfo(Path);
        if (!file.Exists || file.Length == 0)
        {
            _day = Today;
            return;
        }
        if (file.Length + more <= Largest && _day == Today)
        {
            return;
        }
        try
        {
            File.Copy(Path, RolledName(_instance), overwrite: true);
        }
        catch (IOException) when (file.Length < 2 * Largest)
        {
            // A full disk, perhaps: it may grow a little, and then begins anew.
            return;
        }
        catch (IOException)
        {
            // Bounded comes first.
        }
        using (var cut = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            cut.SetLength(0);
        }
        _day = Today;
        foreach (var old in Rolled().OrderDescending(StringComparer.Ordinal).Skip(KeptFiles))
        {
            File.Delete(old);
        }
    }

    private string OwnerPath => System.IO.Path.Combine(_folder, $"{_name}.owner");

    private string RolledName(string instance) =>
        System.IO.Path.Combine(
            _folder,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_name}.{_clock.GetUtcNow():yyyyMMdd'T'HHmmssfff'Z'}.{Mark(instance)}.log"
            )
        );

    private string[] Rolled() => Directory.GetFiles(_folder, $"{_name}.*.{Mark(_instance)}.log");

    private static string Mark(string instance) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(instance)).AsSpan(0, 4));
}

/// <summary>How a <see cref="LogFile"/> writes.</summary>
/// <param name="Name">What comes before <c>.log</c>.</param>
/// <param name="Instance">Names whoever writes; the same over restarts.</param>
/// <param name="Lines">Makes a line of an event.</param>
/// <param name="Clock">Says what day it is.</param>
internal sealed record LogFileOptions(string Name, string Instance, ITextFormatter Lines, TimeProvider Clock);
