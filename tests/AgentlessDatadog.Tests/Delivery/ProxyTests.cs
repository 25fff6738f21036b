using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

public sealed class ProxyTests
{
    [Fact]
    public async Task AProxyThatRefusesItsPasswordIsToldWithoutThePassword()
    {
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        var port = ((IPEndPoint)proxy.LocalEndpoint).Port;
        var refusing = RefuseAsync(proxy);
        await using var run = await PipelineRun.OverSocketsAsync(
            new()
            {
                IntakeUrl = new Uri("https://intake.example.com"),
                Proxy = _ => new Uri($"http://ada:{Secret.ProxyPassword}@127.0.0.1:{port}"),
            }
        );

        var verdict = await run.CheckKeyAsync();

        verdict.Message.ShouldNotBeNull().ShouldContain($"127.0.0.1:{port}");
        verdict.Message.ShouldNotContain(Secret.ProxyPassword);
        proxy.Stop();
        (await refusing).ShouldContain(
            $"Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes($"ada:{Secret.ProxyPassword}"))}"
        );
    }

    // Until nobody can come any more; gives all that it was asked.
    private static async Task<string> RefuseAsync(TcpListener proxy)
    {
        var asked = new StringBuilder();
        while (true)
        {
            try
            {
                using var client = await proxy.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream());
                while (await reader.ReadLineAsync() is { Length: > 0 } line)
                {
                    asked.AppendLine(line);
                }

                await client.GetStream().WriteAsync(Refusal);
            }
            // While it waited for one, or before it did.
            catch (Exception error) when (error is SocketException or InvalidOperationException)
            {
                return asked.ToString();
            }
        }
    }

    private static ReadOnlyMemory<byte> Refusal =>
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"way out\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray();
}
