using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Shouldly;

namespace EndToEnd.Support;

/// <summary>One of the built programs, run as a user runs it, with all that it prints kept.</summary>
public sealed class BuiltProgram : IAsyncDisposable
{
    /// <summary>Where the plugins of all that is run here write their logs.</summary>
    public static readonly string Logs = TestRun.NewFolder();

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly SemaphoreSlim _printed = new(0);

    private bool _isDisposed;

    private BuiltProgram(Process process) => _process = process;

    public string Output => string.Join('\n', _lines);

    public int Id { get; private set; }

    public static BuiltProgram Start(
        string project,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null
    ) => StartAt(PathOf(project), arguments, environment);

    /// <summary>Starts the assembly at a path, in a folder that it may write to.</summary>
    public static BuiltProgram StartAt(
        string assembly,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? folder = null
    )
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        start.ArgumentList.Add(assembly);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        // What the person at the keyboard has set for a Datadog or a StreamSpace of their own stays out of it.
        string[] theirs = ["DD_", "NATS_", "DB_", "KUBE", "JWT_", "NAMESPACE", "WEBHOOK_", "CATALOG_"];
        foreach (var name in start.Environment.Keys.Where(k => theirs.Any(k.StartsWith)).ToList())
        {
            start.Environment.Remove(name);
        }
        start.Environment["LOGS_DIRECTORY"] = Logs;
        TestRun.Hear(start);
        TestRun.Search.Add(environment ?? new Dictionary<string, string>());
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        var program = new BuiltProgram(new Process { StartInfo = start });
        program._process.OutputDataReceived += program.Keep;
        program._process.ErrorDataReceived += program.Keep;
        program._process.Start();
        program.Id = program._process.Id;
        program._process.BeginOutputReadLine();
        program._process.BeginErrorReadLine();
        return program;
    }

    /// <summary>The first line that contains <paramref name="text"/>, once it is printed.</summary>
    public async Task<string> LineAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience.Enough);
        while (true)
        {
            if (_lines.FirstOrDefault(l => l.Contains(text, StringComparison.OrdinalIgnoreCase)) is { } line)
            {
                return line;
            }
            if (_process.HasExited)
            {
                throw new InvalidOperationException(
                    $"The program ended ({_process.ExitCode}) without \"{text}\":\n{Output}"
                );
            }
            try
            {
                await _printed.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The program did not print \"{text}\":\n{Output}");
            }
        }
    }

    /// <summary>
    /// Waits until the program has this file open, or has ended. Asked of Linux alone: elsewhere it returns at once.
    /// </summary>
    public async Task OpensAsync(string file)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (OperatingSystem.IsLinux() && !_process.HasExited && !Has(file))
        {
            await look.WaitForNextTickAsync();
        }
    }

    /// <summary>The exit code of a program that ends by itself.</summary>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience.Enough);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>Asks the program to stop as an operator's service manager does, and waits for its exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(Patience.Enough);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        _printed.Dispose();
        TestRun.Search.LookAt($"what process {Id} printed", Output);
    }

    /// <summary>The folder with the built plugin, as it is copied to a host's plugins.</summary>
    public static string PluginFolder =>
        Path.Combine(Path.GetDirectoryName(PathOf("StreamSpace.PluginHost"))!, "plugins", "streamspace-datadog");

    /// <summary>Where the source projects are.</summary>
    public static string SourceFolder => Fact("SourceFolder");

    /// <summary>The configuration that was built.</summary>
    public static string Configuration => Fact("Configuration");

    /// <summary>Runs dotnet publish on a source project in the configuration that was built.</summary>
    public static Task PublishAsync(string project, params string[] options) =>
        RunDotnetAsync("publish", project, options);

    /// <summary>Runs a command of the SDK on a source project in the configuration that was built.</summary>
    public static async Task RunDotnetAsync(string command, string project, params string[] options)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [command, Path.Combine(SourceFolder, project), "-c", Configuration, .. options]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // It leaves folders behind, and its nodes would go on when these are gone.
            Environment = { ["TMPDIR"] = TestRun.NewGivenFolder(), ["MSBUILDDISABLENODEREUSE"] = "1" },
        };
        using var run = Process.Start(start)!;
        var said = run.StandardOutput.ReadToEndAsync();
        var error = await run.StandardError.ReadToEndAsync();
        await run.WaitForExitAsync();
        run.ExitCode.ShouldBe(0, await said + error);
    }

    private bool Has(string file)
    {
        try
        {
            return Directory
                .EnumerateFiles($"/proc/{Id}/fd")
                .Any(open => File.ResolveLinkTarget(open, returnFinalTarget: false)?.Name == file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It closes one while we look, or has just ended.
            return false;
        }
    }

    private static string PathOf(string project) =>
        Path.GetFullPath(Path.Combine(SourceFolder, project, "bin", Configuration, "net10.0", $"{project}.dll"));

    private static string Fact(string key) =>
        Assembly
            .GetExecutingAssembly()
            .GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == key)
            .Value!;

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            _lines.Enqueue(text);
            try
            {
                _printed.Release();
            }
            catch (ObjectDisposedException)
            {
                // The last words of a program that is being put away.
            }
        }
    }
}
