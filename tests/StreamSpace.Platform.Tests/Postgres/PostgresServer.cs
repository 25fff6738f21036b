using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Npgsql;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Sources.Postgres;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>
/// A real PostgreSQL on a free loopback port, in a folder of its own, with password sign-in, and statements counted
/// by pg_stat_statements.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>The owner of everything, as in a StreamSpace deployment.</summary>
    public const string Owner = "streamspace";

    // PostgreSQL refuses to run as root; Debian's package brings this user.
    private const string ServerUser = "postgres";

    private readonly string _bin = Find();
    private readonly string _folder = Directory.CreateTempSubdirectory("postgres-").FullName;
    private Process? _process;
    private bool _offersTls;

    private PostgresServer() { }

    /// <summary>The port; it stays over a restart.</summary>
    public int Port { get; } = FreePort();

    /// <summary>Makes a cluster and starts it.</summary>
    /// <param name="certificate">Has it offer TLS with this certificate; its key must be exportable.</param>
    public static async Task<PostgresServer> StartAsync(X509Certificate2? certificate = null)
    {
        var server = new PostgresServer { _offersTls = certificate is not null };
        try
        {
            if (certificate is not null)
            {
                await File.WriteAllTextAsync(server.CertificateFile, certificate.ExportCertificatePem());
                using var key = certificate.GetECDsaPrivateKey()!;
                await File.WriteAllTextAsync(server.KeyFile, key.ExportPkcs8PrivateKeyPem());
                // PostgreSQL refuses a key that others may read.
                await RunAsync("chmod", "600", server.KeyFile);
            }
            var password = Path.Combine(server._folder, "password");
            await File.WriteAllTextAsync(password, Secret.OwnerPassword);
            if (Environment.UserName == "root")
            {
                await RunAsync("chown", "-R", ServerUser, server._folder);
            }
            await RunAsync(
                server.AsServerUser(
                    "initdb",
                    $"--pgdata={server.Data}",
                    $"--username={Owner}",
                    $"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync"
                )
            );
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on its port, with its data, after a stop or a kill; returns when it takes connections.</summary>
    public async Task StartAgainAsync()
    {
        var start = AsServerUser(
            "postgres",
            "-D",
            Data,
            "-p",
            Port.ToString(CultureInfo.InvariantCulture),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "shared_preload_libraries=pg_stat_statements",
            "-c",
            "fsync=off",
            "-c",
            "timezone=UTC",
            "-c",
            $"ssl={(_offersTls ? "on" : "off")}",
            "-c",
            $"ssl_cert_file={CertificateFile}",
            "-c",
            $"ssl_key_file={KeyFile}"
        );
        start.RedirectStandardError = true;
        _process = Process.Start(start) ?? throw new InvalidOperationException("postgres did not start.");
        var said = new List<string>();
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                // Its further words must be read, or its pipe fills and it stops.
                _ = _process.StandardError.ReadToEndAsync();
                return;
            }
        }
        throw new InvalidOperationException($"PostgreSQL did not come up: {string.Join('\n', said)}");
    }

    /// <summary>Stops it at once, as a crash would: open transactions are rolled back at the next start.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            // To the postmaster this is "immediate shutdown"; killed outright it would leave its children behind.
            await RunAsync("kill", "-QUIT", process.Id.ToString(CultureInfo.InvariantCulture));
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>How to reach a database as a role.</summary>
    public PostgresOptions Options(string database, string role = Owner, string password = Secret.OwnerPassword) =>
        new()
        {
            Host = "127.0.0.1",
            Port = Port,
            User = role,
            Password = password,
            Database = database,
        };

    /// <summary>Connections of the owner to a database; <c>postgres</c> is there from the start.</summary>
    public NpgsqlDataSource Connect(string database) =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder
            {
                Host = "127.0.0.1",
                Port = Port,
                Username = Owner,
                Password = Secret.OwnerPassword,
                Database = database,
                SslMode = SslMode.Disable,
                Pooling = false,
                ApplicationName = "streamspace-api",
            }
        );

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Has it refuse, from the next connection on, whoever comes without TLS.</summary>
    public async Task DemandTlsAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(Data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n");
        await RunAsync("kill", "-HUP", _process!.Id.ToString(CultureInfo.InvariantCulture));
    }

    private string Data => Path.Combine(_folder, "data");

    private string CertificateFile => Path.Combine(_folder, "server.crt");

    private string KeyFile => Path.Combine(_folder, "server.key");

    private ProcessStartInfo AsServerUser(string program, params string[] arguments)
    {
        var path = Path.Combine(_bin, program);
        return Environment.UserName == "root"
            ? Start("setpriv", ["--reuid", ServerUser, "--regid", ServerUser, "--clear-groups", path, .. arguments])
            : Start(path, arguments);
    }

    private static ProcessStartInfo Start(string program, params string[] arguments) =>
        new(program, arguments) { WorkingDirectory = "/" };

    private static Task RunAsync(string program, params string[] arguments) => RunAsync(Start(program, arguments));

    private static async Task RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process =
            Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{start.FileName} failed: {error}{await output}");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // Debian keeps the programs of each version apart, and not on PATH.
    private static string Find() =>
        (
            Directory.Exists("/usr/lib/postgresql")
                ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(v => Path.Combine(v, "bin"))
                : []
        )
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
        ?? throw new FileNotFoundException(
            "initdb is not on this machine: install the Debian package postgresql (apt-get install postgresql)."
        );
}
