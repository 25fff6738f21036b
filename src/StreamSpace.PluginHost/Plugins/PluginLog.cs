using Serilog;
using Serilog.Core;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>A plugin's log: JSON lines, each with its message as people read it and the instance that wrote it; warnings and worse also on the console.</summary>
internal sealed class PluginLog : IDisposable
{
    private readonly LogFile _file;
    private readonly Logger _lines;
    private readonly ILoggerFactory _loggers;

    /// <param name="route">The plugin's, and the name of its log.</param>
    /// <param name="folder">Where it is, if that can be written and no other instance writes there.</param>
    /// <param name="fallbackFolder">Where it is otherwise.</param>
    /// <param name="instance">The data folder, which names this host among all of its machine.</param>
    /// <param name="clock">Says what day it is.</param>
    /// <param name="console">Adds the console.</param>
    /// <param name="listeners">Plugins that hear what is logged.</param>
    public PluginLog(
        string route,
        string folder,
        string fallbackFolder,
        string instance,
        TimeProvider clock,
        Action<ILoggingBuilder> console,
        LogListeners listeners
    )
    {
        _file = LogFile.Take(
            [folder, fallbackFolder],
            new LogFileOptions(route, instance, new TerminalSafeJson(new LogLine()), clock)
        );
        _lines = new LoggerConfiguration()
            .MinimumLevel.Information()
            .Enrich.WithProperty("Instance", $"{Environment.MachineName}:{instance}")
            .WriteTo.Sink(_file)
            .CreateLogger();
        _loggers = LoggerFactory.Create(logging =>
        {
            console(logging);
            logging.AddSerilog(_lines);
            logging.AddProvider(listeners);
        });
        Logger = _loggers.CreateLogger(route);
    }

    /// <summary>The file: what to <c>tail -f</c>.</summary>
    public string Path => _file.Path;

    public Microsoft.Extensions.Logging.ILogger Logger { get; }

    /// <summary>Removes every file of this log that this instance wrote. To be called once it is disposed.</summary>
    public void Remove() => _file.Remove();

    public void Dispose()
    {
        _loggers.Dispose();
        _lines.Dispose();
        _file.Dispose();
    }
}
