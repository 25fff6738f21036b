using System.Text;
using NamedFiles;
using Serilog;
using Serilog.Core;
using Serilog.Formatting.Compact;
using Serilog.Sinks.File;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// A plugin's log: JSON lines in files that roll by day and size, seven of them kept, with a link of one steady name to the
/// newest; warnings and worse also on the console.
/// </summary>
internal sealed class PluginLog : IDisposable
{
    private const long LargestFile = 10_000_000;
    private const int KeptFiles = 7;

    private readonly Logger _file;
    private readonly ILoggerFactory _loggers;

    public PluginLog(
        string route,
        string folder,
        string fallbackFolder,
        Action<ILoggingBuilder> console,
        LogListeners listeners
    )
    {
        Path = System.IO.Path.Combine(IsWritable(folder) ? folder : fallbackFolder, $"{route}.log");
        _file = new LoggerConfiguration()
            .MinimumLevel.Information()
            .WriteTo.File(
                new TerminalSafeJson(new CompactJsonFormatter()),
                System.IO.Path.ChangeExtension(Path, null) + "-.log",
                rollingInterval: RollingInterval.Day,
                fileSizeLimitBytes: LargestFile,
                rollOnFileSizeLimit: true,
                retainedFileCountLimit: KeptFiles,
                hooks: new NewestLink(Path)
            )
            .CreateLogger();
        _loggers = LoggerFactory.Create(logging =>
        {
            console(logging);
            logging.AddSerilog(_file);
            logging.AddProvider(listeners);
        });
        Logger = _loggers.CreateLogger(route);
    }

    /// <summary>The link to the newest file: what to <c>tail -F</c>.</summary>
    public string Path { get; }

    public Microsoft.Extensions.Logging.ILogger Logger { get; }

    /// <summary>Removes every file of this log. To be called once it is disposed.</summary>
    public void Remove()
    {
        var route = System.IO.Path.GetFileNameWithoutExtension(Path);
        File.Delete(Path);
        foreach (var file in Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(Path)!, $"{route}-*.log"))
        {
            // Not those of a plugin whose name only begins like this one's.
            if (
                System
                    .IO.Path.GetFileNameWithoutExtension(file)[(route.Length + 1)..]
                    .All(c => char.IsDigit(c) || c == '_')
            )
            {
                File.Delete(file);
            }
        }
    }

    public void Dispose()
    {
        _loggers.Dispose();
        _file.Dispose();
    }

    private static bool IsWritable(string folder)
    {
        try
        {
            PrivateFiles.MakeFolder(folder);
            var probe = System.IO.Path.Combine(folder, $".{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private sealed class NewestLink(string link) : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, Encoding encoding)
        {
            PrivateFiles.Close(path);
            try
            {
                // Renaming over the old link leaves no moment without one.
                var draft = $"{link}.{Guid.NewGuid():N}";
                File.CreateSymbolicLink(draft, System.IO.Path.GetFileName(path));
                File.Move(draft, link, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A file system without links: the dated files are still there.
            }
            return underlyingStream;
        }
    }
}
