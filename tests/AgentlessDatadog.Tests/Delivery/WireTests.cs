using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

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
        await using var run = await PipelineRun.OverSocketsAsync(
            new() { IntakeUrl = new Uri($"https://127.0.0.1:{server.Port}"), OnUncertain = OnUncertain.Skip }
        );
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).State == LaneState.BackingOff);
        run.Lane(Lane.Events).LastError.ShouldNotBeNull().ShouldContain("certificate");
        run.Ledger(Lane.Events).ShouldBe(1, queued: 1);
        sent.ShouldBe(0);
    }

    [Fact]
    public async Task AConnectionThatIsResetIsCalledThat()
    {
        await using var server = new Ear(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[1]);
            // Closed at once, with what was not read: a reset.
            ((NetworkStream)stream)
                .Socket
                .LingerState = new LingerOption(true, 0);
            ((NetworkStream)stream).Socket.Close();
        });
        await using var run = await PipelineRun.OverSocketsAsync(
            new() { IntakeUrl = new Uri($"http://127.0.0.1:{server.Port}") }
        );
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).State == LaneState.BackingOff);
        run.Lane(Lane.Events).LastError.ShouldBe("Connection reset by peer");
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
                {
                    asked.Add(request);
                }

                var isKnown = request.Contains("Proxy-Authorization: Basic dXNlcjpwQHNz", StringComparison.Ordinal);
                await WriteAsync(
                    stream,
                    isKnown
                        ? Accepted
                        : "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
                );
            }
        });
        await using var run = await PipelineRun.OverSocketsAsync(
            new()
            {
                IntakeUrl = new Uri("http://datadog.invalid"),
                Proxy = _ => new Uri($"http://user:p%40ss@127.0.0.1:{proxy.Port}"),
            }
        );
        await run.KeepAsync(Event());
        await run.UntilSent();
        run.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
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
        await using var run = await PipelineRun.OverSocketsAsync(new() { IntakeUrl = new Uri("http://127.0.0.1:1") });
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).State == LaneState.BackingOff);
        await run.ConfigureAsync(run.Options with { Proxy = _ => new Uri($"http://127.0.0.1:{proxy.Port}") });
        await run.UntilSent();
        run.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task AProxysPasswordThatIsChangedIsUsedFromThenOn()
    {
        await using var proxy = new Ear(async stream =>
        {
            while (await RequestAsync(stream) is { Length: > 0 } request)
            {
                var isKnown = request.Contains("Proxy-Authorization: Basic dXNlcjpuZXc=", StringComparison.Ordinal);
                await WriteAsync(
                    stream,
                    isKnown
                        ? Accepted
                        : "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
                );
            }
        });
        await using var run = await PipelineRun.OverSocketsAsync(
            new()
            {
                IntakeUrl = new Uri("http://datadog.invalid"),
                Proxy = _ => new Uri($"http://user:old@127.0.0.1:{proxy.Port}"),
            }
        );
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).State != LaneState.Open);
        await run.ConfigureAsync(run.Options with { Proxy = _ => new Uri($"http://user:new@127.0.0.1:{proxy.Port}") });
        await run.UntilSent();
        run.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task EachPlaceIsReachedThroughTheProxyThatIsForIt()
    {
        var asked = new ConcurrentQueue<string>();
        await using var proxy = new Ear(stream => TakeAsync(stream, "proxy"));
        await using var collector = new Ear(stream => TakeAsync(stream, "collector"));
        await using var run = await PipelineRun.OverSocketsAsync(
            new()
            {
                IntakeUrl = new Uri("http://datadog.invalid"),
                TracesEndpoint = new Uri($"http://127.0.0.1:{collector.Port}"),
                Proxy = to => to.IsLoopback ? null : new Uri($"http://127.0.0.1:{proxy.Port}"),
            }
        );
        await run.KeepAsync([Event(), Some.Span(TimeProvider.System.GetUtcNow())]);
        await run.Pipeline.FlushAsync();
        await run.UntilSent();
        asked.ShouldBe(["proxy: http://datadog.invalid/api/v1/events", "collector: /v1/traces"], ignoreOrder: true);

        async Task TakeAsync(Stream stream, string who)
        {
            var request = await RequestAsync(stream);
            asked.Enqueue($"{who}: {request.Split(' ')[1]}");
            await WriteAsync(stream, Accepted);
        }
    }

    [Fact]
    public async Task AProxyThatRefusesTheWayIsToldAsOneWithoutItsPassword()
    {
        await using var proxy = new Ear(async stream =>
        {
            await RequestAsync(stream);
            await WriteAsync(stream, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        });
        await using var run = await PipelineRun.OverSocketsAsync(
            new()
            {
                IntakeUrl = new Uri("https://datadog.invalid"),
                Proxy = _ => new Uri($"http://user:{Secret.ProxyPassword}@127.0.0.1:{proxy.Port}"),
            }
        );
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).NextTry is not null);
        var lane = run.Lane(Lane.Events);
        $"{lane.LastError} {run.Log.Text}".ShouldNotContain(Secret.ProxyPassword);
        lane.LastError.ShouldNotBeNull().ShouldContain("403");
        lane.ParkReason.ShouldBe(ParkReason.NotDatadog);
        run.Ledger(Lane.Events).ShouldBe(1, queued: 1);
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
        await using var run = await PipelineRun.OverSocketsAsync(
            new() { IntakeUrl = new Uri($"http://127.0.0.1:{server.Port}") }
        );
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).Verdict is not null);
        Interlocked.Read(ref written).ShouldBeLessThan(32 * 1024 * 1024, "what the buffers of the network take");
    }

    [Theory]
    [InlineData("302 Found")]
    [InlineData("307 Temporary Redirect")]
    [InlineData("308 Permanent Redirect")]
    public async Task ARedirectIsNotFollowedAndTheKeyGoesNowhereElse(string status)
    {
        var elsewhere = new ConcurrentQueue<string>();
        await using var other = new Ear(async stream =>
        {
            elsewhere.Enqueue(await RequestAsync(stream));
            await WriteAsync(stream, Accepted);
        });
        await using var server = new Ear(async stream =>
        {
            var head = $"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:{other.Port}/api/v1/events\r\n";
            while (await RequestAsync(stream) is { Length: > 0 })
            {
                await WriteAsync(stream, head + "Content-Length: 0\r\n\r\n");
            }
        });
        await using var run = await PipelineRun.OverSocketsAsync(
            new() { IntakeUrl = new Uri($"http://127.0.0.1:{server.Port}") }
        );
        await run.KeepAsync(Event());
        // The last thing that an answer leads to, so that it has been followed by then, if ever.
        await run.Until(() => run.Lane(Lane.Events).State != LaneState.Open || run.Ledger(Lane.Events).Delivered == 1);
        elsewhere.ShouldBeEmpty();
        run.Ledger(Lane.Events).ShouldBe(1, queued: 1);
        run.Lane(Lane.Events).LastError.ShouldNotBeNull().ShouldStartWith(status[..3]);
    }

    [Theory]
    [InlineData("", 0, 1)]
    [InlineData("HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n{", 0, 1)]
    [InlineData("HTTP/1.1 503 Busy\r\nContent-Length: 1000\r\n\r\n{", 1, 0)]
    public async Task AConnectionThatIsCutBeforeTheWholeAnswerLeavesItUncertainUnlessTheStatusSaysNo(
        string answer,
        int queued,
        int uncertain
    )
    {
        await using var server = new Ear(async stream =>
        {
            await RequestAsync(stream);
            await WriteAsync(stream, answer);
        });
        await using var run = await PipelineRun.OverSocketsAsync(
            new() { IntakeUrl = new Uri($"http://127.0.0.1:{server.Port}"), OnUncertain = OnUncertain.Skip }
        );
        await run.KeepAsync(Event());
        await run.Until(() => run.Lane(Lane.Events).State == LaneState.BackingOff);
        var ledger = run.Ledger(Lane.Events);
        (ledger.Queued, ledger.Uncertain, ledger.Delivered).ShouldBe((queued, uncertain, 0));
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

    private static DatadogEvent Event() => new("Told", "", TimeProvider.System.GetUtcNow());

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
            {
                break;
            }
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
