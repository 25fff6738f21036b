using System.Net;
using System.Text;

namespace AgentlessDatadog;

/// <summary>The far end as one configuration describes it (reference/datadog-intake.md §1.2, §2).</summary>
internal sealed class Intake(HttpClient client, IntakeOptions options, TimeProvider clock)
{
    private const int MaxAnswer = 64 * 1024;
    private static readonly TimeSpan TimeOut = TimeSpan.FromSeconds(20);

    public string Destination => options.Destination;

    public bool HasKey => !string.IsNullOrEmpty(options.ApiKey);

    /// <summary>The way to a far end through an optional proxy. It never follows a redirect: that would move the key.</summary>
    public static HttpMessageHandler Connect(Uri? proxy)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseProxy = proxy is not null,
        };
        if (proxy is null)
            return handler;
        handler.Proxy = new WebProxy(proxy);
        if (proxy.UserInfo.Split(':', 2) is [var user, var password])
        {
            handler.Proxy.Credentials = new NetworkCredential(
                Uri.UnescapeDataString(user),
                Uri.UnescapeDataString(password)
            );
        }
        return handler;
    }

    public Task<Answer> SendAsync(PayloadHeader header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, At(header.Path))
        {
            Content = new ReadOnlyMemoryContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", header.ContentType);
        if (header.ContentEncoding is { } encoding)
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return AskAsync(request, cancellationToken);
    }

    public async Task<KeyVerdict> CheckKeyAsync(CancellationToken cancellationToken)
    {
        if (!HasKey)
            return new KeyVerdict(KeyState.Missing, "no API key is set");
        var request = new HttpRequestMessage(HttpMethod.Get, At("/api/v1/validate"));
        var answer = await AskAsync(request, cancellationToken).ConfigureAwait(false);
        var state = answer.Verdict switch
        {
            Verdict.Delivered => KeyState.Valid,
            Verdict.Refused => KeyState.Refused,
            Verdict.NotDatadog => KeyState.NotDatadog,
            _ => KeyState.Unknown,
        };
        return new KeyVerdict(state, answer.Words);
    }

    private Uri At(string path)
    {
        var root = options.IntakeUrl?.GetLeftPart(UriPartial.Path).TrimEnd('/') ?? $"https://api.{options.Site}";
        return new Uri(root + path);
    }

    private async Task<Answer> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var owned = request;
        using var patience = new CancellationTokenSource(TimeOut, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        request.Headers.TryAddWithoutValidation("DD-API-KEY", options.ApiKey);
        request.Headers.TryAddWithoutValidation("User-Agent", "agentless-datadog/1.0");
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        try
        {
            using var response = await client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
            var body = await ReadAsync(response, either.Token).ConfigureAwait(false);
            return Answer.Read(response, body, clock.GetUtcNow());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Answer.None($"no answer within {TimeOut.TotalSeconds} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return Answer.None(Redact(error.Message));
        }
    }

    private async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var owned = stream.ConfigureAwait(false);
        var buffer = new byte[MaxAnswer];
        var length = await stream
            .ReadAtLeastAsync(buffer, MaxAnswer, throwOnEndOfStream: false, cancellationToken)
            .ConfigureAwait(false);
        return Redact(Encoding.UTF8.GetString(buffer, 0, length));
    }

    // A proxy may send back what it was sent, key and all.
    private string Redact(string text) =>
        HasKey ? text.Replace(options.ApiKey!, "[API key]", StringComparison.OrdinalIgnoreCase) : text;
}
