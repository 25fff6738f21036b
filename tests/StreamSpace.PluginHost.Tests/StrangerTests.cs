using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What somebody can do who is nobody here: the real process, its memory and its descriptors.</summary>
[SupportedOSPlatform("linux")]
public sealed class StrangerTests
{
    private const string Signature =
        "X-StreamSpace-Signature: 0000000000000000000000000000000000000000000000000000000000000000\r\n";

    private const int Body = 5_000_000;

    [Fact]
    public async Task NobodysBodyIsReadBeforeHeIsKnown()
    {
        await using var host = await ServeAsync();
        (string Method, string Path)[] routes =
        [
            ("POST", "api/events"),
            ("PUT", "api/plugins/echo/config"),
            ("PATCH", "api/plugins/echo/config"),
            ("PATCH", "api/plugins/echo"),
            ("POST", "api/plugins/echo/echo"),
            ("POST", "api/plugins/echo/enable"),
            ("POST", "api/plugins/catalog/echo/install"),
            ("DELETE", "api/plugins/echo"),
            ("POST", "api/sign-in-link"),
            ("POST", "nowhere"),
        ];
        var huge = new byte[60_000_000];
        foreach (var (method, path) in routes)
        {
            foreach (
                var header in (string[])["", "X-StreamSpace-Signature: sha256=00\r\n", "Authorization: Bearer x\r\n"]
            )
            {
                var head = $"{method} /{path} HTTP/1.1\r\nHost: {Authority(host)}\r\n{header}";
                using var socket = await ConnectAsync(host);
                await SendAsync(
                    socket,
                    Encoding.ASCII.GetBytes(
                        $"{head}Content-Type: application/json\r\nContent-Length: {huge.Length}\r\n\r\n"
                    )
                );
                var sent = await SendAsync(socket, huge);
                var answer = await ReceiveAsync(socket);
                answer.ShouldStartWith("HTTP/1.1 401 ", customMessage: $"{method} {path} {header}");
                answer.ShouldContain("Connection: close");
                // More than the buffers between us take, less than would be taken off the wire.
                sent.ShouldBeLessThan(huge.Length, $"{method} {path} {header}");
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(Signature)]
    public async Task AHundredAndFiftyOfThemWithFiveMegabytesEachTakeNoMemory(string header)
    {
        await using var host = await ServeAsync();
        var before = PeakMemory(host);
        var head =
            $"POST /api/events HTTP/1.1\r\nHost: {Authority(host)}\r\nContent-Type: application/json\r\n{header}";
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 150)
                .Select(_ => SendAsync(host, $"{head}Content-Length: {Body}\r\n\r\n", new byte[Body]))
        );
        var statuses = answers.Select(a => a.Split(' ')[1]).ToList();
        // Whoever is refused too often is told to wait, too.
        statuses.ShouldAllBe(s => s == "401" || (header.Length > 0 && (s == "503" || s == "429")));
        answers.Where(a => a.Contains(" 503 ")).ShouldAllBe(a => a.Contains("Retry-After: "));
        (PeakMemory(host) - before).ShouldBeLessThan(200_000);
        host.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task ASignedBodyThatDripsLosesItsPlace()
    {
        await using var host = await ServeAsync();
        var head =
            $"POST /api/events HTTP/1.1\r\nHost: {Authority(host)}\r\nContent-Type: application/json\r\n{Signature}";
        var answer = await SendAsync(host, $"{head}Content-Length: {Body}\r\n\r\n{{");
        answer.ShouldStartWith("HTTP/1.1 408 ");
    }

    [Fact]
    public async Task ABrokenBodyIsABadRequestAndNoStackTrace()
    {
        await using var host = await ServeAsync();
        var token = await HostProcess.TokenAsync(host.Data);
        (string Method, string Path, string Header)[] routes =
        [
            ("POST", "api/events", Signature),
            ("POST", "api/events", $"Authorization: Bearer {token}\r\n"),
            ("PUT", "api/plugins/echo/config", $"Authorization: Bearer {token}\r\n"),
            ("PATCH", "api/plugins/echo", $"Authorization: Bearer {token}\r\n"),
            ("POST", "api/plugins/echo/echo", $"Authorization: Bearer {token}\r\n"),
        ];
        foreach (var (method, path, header) in routes)
        {
            var head =
                $"{method} /{path} HTTP/1.1\r\nHost: {Authority(host)}\r\nContent-Type: application/json\r\n{header}";
            var answer = await SendAsync(
                host,
                $"{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\nzz\r\nabc\r\n"
            );
            answer.ShouldStartWith("HTTP/1.1 400 ", customMessage: $"{method} {path}");
            // Cut off in the middle, in order and out of order.
            for (var i = 0; i < 20; i++)
            {
                using var cut = await ConnectAsync(host);
                await cut.SendAsync(Encoding.ASCII.GetBytes($"{head}Content-Length: 100\r\n\r\n{{"));
                if (i % 2 == 0)
                {
                    cut.LingerState = new LingerOption(enable: true, seconds: 0);
                }
            }
        }
        using var client = TestRun.NewClient(host.Address);
        (await client.GetAsync("healthz", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );
        host.Signal("TERM");
        (await host.EndAsync()).ShouldBe(0);
        host.Errors.ShouldBeEmpty();
        host.Output.ShouldAllBe(line => !line.Contains("Exception") && !line.Contains("   at "));
    }

    [Fact]
    public async Task ThreeHundredAndSeventyIdleConnectionsLeaveTheDescriptorsThatTheProcessNeeds()
    {
        await using var host = await ServeAsync(descriptors: 320);
        host.Output.ShouldContain(line => line.Contains("may open 320 files and connections"));
        var idle = new List<Socket>();
        for (var i = 0; i < 370; i++)
        {
            try
            {
                idle.Add(await ConnectAsync(host));
            }
            catch (SocketException)
            {
                // Turned away before it knew that it was let in.
            }
        }
        // Those that were turned away have been closed.
        var open = idle.Count(socket => !socket.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectRead));
        open.ShouldBeInRange(1, 80);
        idle.ForEach(socket => socket.Dispose());

        using var client = TestRun.NewClient(host.Address);
        using var limit = new CancellationTokenSource(Patience.Enough);
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync("readyz", limit.Token);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK);
                break;
            }
            catch (HttpRequestException)
            {
                // Until it has noticed that they are gone.
            }
        }
        host.Signal("TERM");
        (await host.EndAsync()).ShouldBe(0);
    }

    private static async Task<HostProcess> ServeAsync(int? descriptors = null)
    {
        var host = HostProcess.Start(
            HostProcess.Arguments(Path.Combine(TestRun.NewFolder(), "data")),
            new Dictionary<string, string>
            {
                ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret,
                // In hexadecimal: 200 MB, beyond which the collector ends the process.
                ["DOTNET_GCHeapHardLimit"] = "C800000",
            },
            descriptors
        );
        await host.SaysAsync("Sign in");
        return host;
    }

    private static string Authority(HostProcess host) => host.Address.Authority;

    private static async Task<Socket> ConnectAsync(HostProcess host)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Address.Host, host.Address.Port);
        return socket;
    }

    // All that is answered until the connection ends.
    private static async Task<string> SendAsync(HostProcess host, string head, byte[]? body = null)
    {
        using var socket = await ConnectAsync(host);
        await SendAsync(socket, [.. Encoding.ASCII.GetBytes(head), .. body ?? []]);
        return await ReceiveAsync(socket);
    }

    // How much of it was taken.
    private static async Task<int> SendAsync(Socket socket, byte[] bytes)
    {
        using var limit = new CancellationTokenSource(Patience.Enough);
        var sent = 0;
        try
        {
            while (sent < bytes.Length)
            {
                sent += await socket.SendAsync(
                    bytes.AsMemory(sent, Math.Min(65_536, bytes.Length - sent)),
                    limit.Token
                );
            }
        }
        catch (SocketException)
        {
            // Nobody takes it any more; what was answered can still be read.
        }
        return sent;
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(Patience.Enough);
        var answer = new StringBuilder();
        try
        {
            var part = new byte[4096];
            int length;
            while ((length = await socket.ReceiveAsync(part, limit.Token)) > 0)
            {
                answer.Append(Encoding.UTF8.GetString(part, 0, length));
            }
        }
        catch (SocketException) when (answer.Length > 0)
        {
            // Closed on what was still on its way.
        }
        return answer.ToString();
    }

    // In KiB: the most that was ever resident.
    private static long PeakMemory(HostProcess host) =>
        long.Parse(
            File.ReadLines($"/proc/{host.Id}/status").Single(l => l.StartsWith("VmHWM:")).Split(' ')[^2],
            CultureInfo.InvariantCulture
        );
}
