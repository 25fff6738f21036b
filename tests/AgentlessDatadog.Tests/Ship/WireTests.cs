using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>What happens below HTTP, and before it: TLS, proxies, answers without end.</summary>
public sealed class WireTests
{
    private const string Accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";

    [Fact]
    public async Task ACertificateThatNobodyVouchesForIsRefusedInWordsThatSaySoAndNothingIsSent()
    {
        using var certificate = SelfSigned();
        var sent = 0;
        await using var server = new Ear(async stream =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(certificate);
            sent += await tls.ReadAsync(new byte[1000]);
        });
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                IntakeUrl = new Uri($"https://127.0.0.1:{server.Port}"),
                OnUncertain = OnUncertain.Skip,
            }
        );
        await rig.KeepAsync(Event(rig));
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        rig.Lane(Lane.Events).LastError.ShouldNotBeNull().ShouldContain("certificate");
        rig.Ledger(Lane.Events).ShouldBe(1, queued: 1);
        sent.ShouldBe(0);
    }

    [Fact]
    public async Task AProxyIsGivenTheNameAndPasswordOfItsAddress()
    {
        var asked = new List<string>();
        await using var proxy = new Ear(async stream =>
        {
            while (await RequestAsync(stream) is { Length: > 0 } request)
            {
                lock (asked)
                    asked.Add(request);
                var isKnown = request.Contains("Proxy-Authorization: Basic dXNlcjpwQHNz", StringComparison.Ordinal);
                await WriteAsync(
                    stream,
                    isKnown
                        ? Accepted
                        : "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
                );
            }
        });
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                IntakeUrl = new Uri("http://datadog.invalid"),
                Proxy = new Uri($"http://user:p%40ss@127.0.0.1:{proxy.Port}"),
            }
        );
        await rig.KeepAsync(Event(rig));
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
        asked[0].ShouldStartWith("POST http://datadog.invalid/api/v1/events");
    }

    [Fact]
    public async Task AProxyThatIsSetLaterIsUsedFromThenOn()
    {
        await using var proxy = new Ear(async stream =>
        {
            await RequestAsync(stream);
            await WriteAsync(stream, Accepted);
        });
        await using var rig = await Rig.StartAsync(o => o with { IntakeUrl = new Uri("http://127.0.0.1:1") });
        await rig.KeepAsync(Event(rig));
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        await rig.ConfigureAsync(rig.Options with { Proxy = new Uri($"http://127.0.0.1:{proxy.Port}") });
        await rig.UntilSent();
        rig.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task AProxyThatRefusesTheWayIsToldAsOneWithoutItsPassword()
    {
        await using var proxy = new Ear(async stream =>
        {
            await RequestAsync(stream);
            await WriteAsync(stream, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        });
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                IntakeUrl = new Uri("https://datadog.invalid"),
                Proxy = new Uri($"http://user:{Secret.ProxyPassword}@127.0.0.1:{proxy.Port}"),
            }
        );
        await rig.KeepAsync(Event(rig));
        await rig.Until(() => rig.Lane(Lane.Events).NextTry is not null);
        var lane = rig.Lane(Lane.Events);
        $"{lane.LastError} {rig.Log.Text}".ShouldNotContain(Secret.ProxyPassword);
        lane.LastError.ShouldNotBeNull().ShouldContain("403");
        lane.Refusal.ShouldBe(Refusal.NotDatadog);
        rig.Ledger(Lane.Events).ShouldBe(1, queued: 1);
    }

    [Fact]
    public async Task OfAnAnswerWithoutEndOnlyTheBeginningIsRead()
    {
        long written = 0;
        await using var server = new Ear(async stream =>
        {
            await RequestAsync(stream);
            await WriteAsync(stream, "HTTP/1.1 202 Accepted\r\nContent-Length: 9000000000\r\n\r\n");
            var spaces = new byte[64 * 1024];
            Array.Fill(spaces, (byte)' ');
            while (true)
            {
                await stream.WriteAsync(spaces);
                Interlocked.Add(ref written, spaces.Length);
            }
        });
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                IntakeUrl = new Uri($"http://127.0.0.1:{server.Port}"),
            }
        );
        await rig.KeepAsync(Event(rig));
        await rig.Until(() => rig.Lane(Lane.Events).Verdict is not null);
        Interlocked.Read(ref written).ShouldBeLessThan(32 * 1024 * 1024, "what the buffers of the network take");
    }

    [Fact]
    public async Task ABodyIsHandedOverOnlyOnceAllOfItIs()
    {
        using var body = new BodyContent(new byte[10]);
        using var half = new MemoryStream(new byte[5]);
        await Should.ThrowAsync<NotSupportedException>(() => body.CopyToAsync(half));
        body.IsHandedOver.ShouldBeFalse();
        await body.CopyToAsync(Stream.Null);
        body.IsHandedOver.ShouldBeTrue();
    }

    private static DatadogEvent Event(Rig rig) => new("Told", "", rig.Clock.GetUtcNow());

    private static async Task WriteAsync(Stream stream, string text) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));

    // Head and body, or what there was of them.
    private static async Task<string> RequestAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (await stream.ReadAsync(buffer) is > 0 and var length)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, length));
            if (text.ToString().Split("\r\n\r\n", 2) is [var head, var body] && body.Length >= Length(head))
                break;
        }
        return text.ToString();
    }

    private static int Length(string head) =>
        head.Split("Content-Length: ") is [_, var rest] ? int.Parse(rest.Split('\r')[0]) : 0;

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    /// <summary>Serves connections on loopback, each until it ends.</summary>
    private sealed class Ear : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public Ear(Func<Stream, Task> serve)
        {
            _listener.Start();
            _serving = ServeAsync(serve);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task ServeAsync(Func<Stream, Task> serve)
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _ = Task.Run(async () =>
                {
                    using var owned = client;
                    // Whoever hangs up ends it.
                    await serve(client.GetStream()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                });
            }
        }
    }
}
