using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EndToEnd.Support;

/// <summary>A place that is none of Datadog's: takes what comes, answers 202, and tells what it heard.</summary>
public sealed class StrangePlace : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly StringBuilder _heard = new();
    private readonly Task _listening;

    public StrangePlace()
    {
        _listener.Start();
        _listening = ListenAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>All bytes of all callers, as far as they are text.</summary>
    public string Heard
    {
        get
        {
            lock (_heard)
            {
                return _heard.ToString();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Stop();
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
        _listener.Dispose();
    }

    private async Task ListenAsync()
    {
        while (true)
        {
            _ = HearAsync(await _listener.AcceptTcpClientAsync(_over.Token));
        }
    }

    private async Task HearAsync(TcpClient caller)
    {
        using var owned = caller;
        var stream = caller.GetStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, _over.Token) is var read and > 0)
        {
            lock (_heard)
            {
                _heard.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
            await stream.WriteAsync(
                "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"u8.ToArray(),
                _over.Token
            );
        }
    }
}
