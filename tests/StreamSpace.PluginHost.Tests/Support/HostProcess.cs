using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Shouldly;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>The real program in a process of its own.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    private HostProcess(Process process, string heard, string data) => (_process, Heard, Data) = (process, heard, data);

    /// <summary>The file with what was thrown and asked for in it.</summary>
    public string Heard { get; }

    /// <summary>Its data folder, when it was named.</summary>
    public string Data { get; }

    public int Id => _process.Id;

    /// <summary>Where it serves, once it has said so.</summary>
    public Uri Address => new(Output.Single(l => l.StartsWith("Serving on ", StringComparison.Ordinal))[11..]);

    public List<string> Output { get; } = [];

    public List<string> Errors { get; } = [];

    /// <param name="arguments">After the program's name.</param>
    /// <param name="environment">Beside what this process has.</param>
    /// <param name="descriptors">How many it may open at most; null for as many as this process may.</param>
    public static HostProcess Start(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        int? descriptors = null
    )
    {
        string[] command =
        [
            "dotnet",
            Path.Combine(AppContext.BaseDirectory, "StreamSpace.PluginHost.dll"),
            .. arguments,
        ];
        if (descriptors is not null)
        {
            command = ["sh", "-c", $"ulimit -n {descriptors}; exec \"$@\"", "sh", .. command];
        }
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = TestRun.NewFolder(),
        };
        foreach (
            var name in new[]
            {
                "JWT_SECRET",
                "WEBHOOK_SIGNING_SECRET",
                "NATS_URL",
                "DB_HOST",
                "KUBECONFIG",
                "ECHO_INTERVAL",
            }
        )
        {
            start.Environment.Remove(name);
        }
        start.Environment["LOGS_DIRECTORY"] = TestRun.NewFolder();
        var heard = TestRun.Hear(start);
        TestRun.Search.Add(environment ?? new Dictionary<string, string>());
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        var host = new HostProcess(
            new Process { StartInfo = start },
            heard,
            command.SkipWhile(word => word != "--data").ElementAtOrDefault(1) ?? ""
        );
        host._process.OutputDataReceived += (_, line) => host.Take(host.Output, line.Data);
        host._process.ErrorDataReceived += (_, line) => host.Take(host.Errors, line.Data);
        host._process.Start();
        host._process.BeginOutputReadLine();
        host._process.BeginErrorReadLine();
        return host;
    }

    /// <summary>Serves on free ports, without a sandbox, and waits until it does.</summary>
    public static async Task<HostProcess> ServeAsync(string data, params string[] more)
    {
        var host = Start(Arguments(data, more));
        await host.SaysAsync("Sign in");
        return host;
    }

    /// <summary>What the command <c>token</c> prints, and nothing else does.</summary>
    public static async Task<string> TokenAsync(string data, params string[] more)
    {
        string token;
        await using (var command = Start(["token", "--data", data, .. more]))
        {
            (await command.EndAsync()).ShouldBe(0);
            token = command.Output.ShouldHaveSingleItem();
        }
        TestRun.Search.Add(token);
        return token;
    }

    public static IEnumerable<string> Arguments(string data, params string[] more) =>
        [
            "--urls",
            "http://127.0.0.1:0",
            "--sandbox-urls",
            "",
            "--plugins",
            TestHost.EchoFolder,
            "--data",
            data,
            .. more,
        ];

    /// <summary>A port on which something listens as long as the socket lives.</summary>
    public static (Socket Socket, int Port) TakePort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return (socket, ((IPEndPoint)socket.LocalEndPoint!).Port);
    }

    /// <summary>The next line, of either stream, that contains <paramref name="words"/>.</summary>
    public async Task<string> SaysAsync(string words)
    {
        using var limit = new CancellationTokenSource(Patience.Enough);
        await foreach (var line in _lines.Reader.ReadAllAsync(limit.Token))
        {
            if (line.Contains(words, StringComparison.Ordinal))
            {
                return line;
            }
        }
        throw new InvalidOperationException(
            $"Ended without saying \"{words}\": {string.Join('\n', Output.Concat(Errors))}"
        );
    }

    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Enough);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        TestRun.Search.LookAt("what a process printed", string.Join('\n', Output.Concat(Errors)));
    }

    private void Take(List<string> lines, string? line)
    {
        if (line is null)
        {
            if (lines == Output)
            {
                _lines.Writer.TryComplete();
            }
            return;
        }
        lock (lines)
        {
            lines.Add(line);
        }
        _lines.Writer.TryWrite(line);
    }
}
