using System.Diagnostics;
using System.Globalization;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A real nats-server on a free loopback port, with a folder of its own.</summary>
public sealed class NatsServer : IAsyncDisposable
{
    private readonly string _folder = TestRun.NewGivenFolder();
    private readonly string _address;
    private readonly string[] _options;
    private Process? _process;

    private NatsServer(string address, string[] options) => (_address, _options) = (address, options);

    /// <summary>The port; it stays over a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Where clients find it.</summary>
    public string Url => $"nats://{_address}:{Port}";

    /// <summary>Starts one, and returns when it takes connections.</summary>
    /// <param name="jetStream">With JetStream, as the chart's; or without.</param>
    /// <param name="options">More command line options, such as <c>--user</c>.</param>
    public static Task<NatsServer> StartAsync(bool jetStream = true, params string[] options) =>
        StartAsync("127.0.0.1", jetStream ? ["-js", .. options] : options);

    /// <summary>Starts one with the HTTP monitor, which StreamSpace's chart switches on.</summary>
    /// <param name="address">
    /// A loopback address that is no other test's: the monitor's port is the one that everyone uses, and so not free to choose.
    /// </param>
    /// <param name="monitored">False for one whose monitor is somebody else.</param>
    /// <param name="options">More command line options.</param>
    public static Task<NatsServer> StartMonitoredAsync(
        string address,
        bool monitored = true,
        params string[] options
    ) => StartAsync(address, monitored ? ["-m", "8222", .. options] : options);

    private static async Task<NatsServer> StartAsync(string address, string[] options)
    {
        var server = new NatsServer(address, options);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it again on its port, with its data, after <see cref="KillAsync"/>.</summary>
    public async Task StartAsync()
    {
        var port = Port == 0 ? "-1" : Port.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(Find()) { RedirectStandardError = true };
        foreach (var argument in (string[])["-a", _address, "-p", port, "-sd", _folder, .. _options])
        {
            start.ArgumentList.Add(argument);
        }
        _process = Process.Start(start) ?? throw new InvalidOperationException("nats-server did not start.");
        var said = new List<string>();
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            said.Add(line);
            const string listening = "Listening for client connections on ";
            if (line.IndexOf(listening, StringComparison.Ordinal) is >= 0 and var at)
            {
                var address = line[(at + listening.Length)..];
                Port = int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
            }
            if (line.Contains("Server is ready", StringComparison.Ordinal))
            {
                // Its further words must be read, or its pipe fills and it stops.
                _ = _process.StandardError.ReadToEndAsync();
                return;
            }
        }
        throw new InvalidOperationException($"nats-server did not come up: {string.Join('\n', said)}");
    }

    /// <summary>Kills it, as a crash would.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Loses its data, after <see cref="KillAsync"/>, as an emptyDir does with its pod.</summary>
    public void LoseData()
    {
        Directory.Delete(_folder, recursive: true);
        Directory.CreateDirectory(_folder);
    }

    /// <summary>A client of its own, connected.</summary>
    public async Task<NatsConnection> ConnectAsync(string? user = null, string? password = null)
    {
        var client = new NatsConnection(
            NatsOpts.Default with
            {
                Url = Url,
                Name = "streamspace-api",
                AuthOpts = NatsAuthOpts.Default with { Username = user, Password = password },
            }
        );
        await client.ConnectAsync();
        return client;
    }

    /// <summary>Makes the five streams that StreamSpace's API makes at its start (docs/reference/streamspace.md §4.4).</summary>
    /// <param name="client">Makes them.</param>
    /// <param name="maxAge">How long they keep a message; a day, as upstream's do, unless told otherwise.</param>
    public static async Task CreateStreamsAsync(NatsConnection client, TimeSpan? maxAge = null)
    {
        var jetStream = new NatsJSContext(client);
        foreach (var part in (string[])["session", "app", "template", "node", "controller"])
        {
            await jetStream.CreateOrUpdateStreamAsync(
                new StreamConfig($"STREAMSPACE_{part.ToUpperInvariant()}S", [$"streamspace.{part}.>"])
                {
                    Retention = StreamConfigRetention.Workqueue,
                    Storage = StreamConfigStorage.File,
                    MaxAge = maxAge ?? TimeSpan.FromHours(24),
                }
            );
        }
    }

    /// <summary>What the stream of sessions has.</summary>
    public static async Task<StreamState> StateAsync(NatsConnection client) =>
        (await new NatsJSContext(client).GetStreamAsync("STREAMSPACE_SESSIONS")).Info.State;

    /// <summary>Publishes, and returns once the stream has it all: a server stores some time after it took a message.</summary>
    public static async Task StoreAsync(NatsConnection client, params IEnumerable<UpstreamMessage> messages)
    {
        var last = (await StateAsync(client)).LastSeq;
        foreach (var message in messages)
        {
            await message.PublishAsync(client);
            last += message.Copy is null ? 1u : 2u;
        }
        while ((await StateAsync(client)).LastSeq < last)
        {
            await client.PingAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Append("/usr/sbin")
            .Select(folder => Path.Combine(folder, "nats-server"))
            .FirstOrDefault(File.Exists)
        ?? throw new FileNotFoundException("nats-server is not on PATH: install the Debian package nats-server.");
}
