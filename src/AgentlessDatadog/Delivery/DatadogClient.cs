using System.Net;
using System.Net.Sockets;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using ZstdSharp;

namespace AgentlessDatadog.Delivery;

/// <summary>The far end as one configuration describes it (docs/reference/datadog.md §1.2, §2.1).</summary>
internal sealed class DatadogClient(Connections connections, TelemetryOptions options, DatadogClock clock)
{
    private const int MaxAnswer = 64 * 1024;
    private static readonly AsyncLocal<bool> Asking = new();
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Whether what runs here runs for a question to Datadog: one that was traced would make another.</summary>
    public static bool IsAsking => Asking.Value;

    public string Destination => options.Destination;

    /// <summary>Whether what was refused or told to wait here would be so there.</summary>
    public bool IsSameWayAs(DatadogClient other) => Way == other.Way;

    private (string, string, Uri?, Uri?, string?, string) Way =>
        (
            options.Destination,
            options.Site,
            options.IntakeUrl,
            options.TracesEndpoint,
            options.ApiKey,
            string.Join(' ', Lane.All.Select(lane => options.Proxy(To(lane, lane.Path))?.OriginalString ?? "none"))
        );

    /// <summary>Whether what may have arrived is left, in a lane where a repeat would count twice.</summary>
    public bool Skips(Lane lane) => options.OnUncertain is OnUncertain.Skip && lane.RepeatHarms;

    public bool HasKey => !string.IsNullOrEmpty(options.ApiKey);

    /// <summary>Whether a lane may send as things are: an endpoint of one's own, such as a collector's, may want no key.</summary>
    public bool MaySend(Lane lane) => HasKey || lane.OwnEndpoint(options) is { } own && !Sites.Owns(own);

    /// <summary>Whether what a key check says lets a parked lane try again: an endpoint of one's own has its own mind.</summary>
    public bool LetsGoOn(Lane lane, KeyVerdict key) =>
        key.State is not (KeyState.Refused or KeyState.Missing) || lane.OwnEndpoint(options) is not null;

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
        {
            return handler;
        }
        // The runtime names the proxy when it is refused there: with its password, were that in the address.
        handler.Proxy = new WebProxy(new UriBuilder(proxy) { UserName = "", Password = "" }.Uri);
        if (proxy.UserInfo.Split(':', 2) is [var user, var password])
        {
            handler.Proxy.Credentials = new NetworkCredential(
                Uri.UnescapeDataString(user),
                Uri.UnescapeDataString(password)
            );
        }
        return handler;
    }

    public Task<IntakeResponse> SendAsync(
        RequestHeader header,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        var lane = header.Lane;
        var request = new HttpRequestMessage(HttpMethod.Post, To(lane, header.Path))
        {
            Content = new BodyContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", header.ContentType);
        if (header.ContentEncoding is { } encoding)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        }

        foreach (var (name, value) in lane.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return AskAsync(request, cancellationToken);
    }

    public async Task<KeyVerdict> CheckKeyAsync(CancellationToken cancellationToken)
    {
        if (!HasKey)
        {
            return new KeyVerdict(KeyState.Missing, "no API key is set");
        }

        var request = new HttpRequestMessage(HttpMethod.Get, At(Lane.ApiHost, "/api/v1/validate"));
        var answer = await AskAsync(request, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        var state = answer.Verdict switch
        {
            Verdict.Delivered => KeyState.Valid,
            Verdict.Refused => KeyState.Refused,
            Verdict.NotDatadog => KeyState.NotDatadog,
            _ => KeyState.Unknown,
        };
        return new KeyVerdict(state, answer.Error);
    }

    /// <summary>
    /// The other known site that takes our key, or null: a key of another site looks just like a wrong one
    /// (docs/reference/datadog.md §1.1). Asked only where a site was named, never of a base address.
    /// </summary>
    public async Task<string?> FindSiteAsync(CancellationToken cancellationToken)
    {
        if (!HasKey || options.IntakeUrl is not null || !Sites.Known.Contains(options.Site))
        {
            return null;
        }

        var others = Sites.Known.Where(site => site != options.Site).ToList();
        var verdicts = await Task.WhenAll(
                others.Select(site =>
                    new DatadogClient(connections, options with { Site = site }, clock).CheckKeyAsync(cancellationToken)
                )
            )
            .ConfigureAwait(false);
        var at = Array.FindIndex(verdicts, verdict => verdict.State == KeyState.Valid);
        return at < 0 ? null : others[at];
    }

    /// <summary>What a refusal means, and in one sentence: <see cref="ParkReason"/> lists what it can be.</summary>
    public async Task<(ParkReason ParkReason, string Error)> ExplainAsync(
        Lane lane,
        IntakeResponse answer,
        CancellationToken cancellationToken
    )
    {
        var words = answer.Error ?? "";
        if (!MaySend(lane))
        {
            return (ParkReason.KeyMissing, words);
        }

        var own = lane.OwnEndpoint(options);
        var mayBeAbsent = answer.IsAbsent && !lane.IsEverywhere && own is null;
        if (answer.Verdict != Verdict.Refused && !mayBeAbsent)
        {
            return (ParkReason.NotDatadog, words);
        }

        var key = await CheckKeyAsync(cancellationToken).ConfigureAwait(false);
        return key.State switch
        {
            KeyState.Valid when mayBeAbsent => (
                ParkReason.NotOffered,
                $"{Where} has no intake for {lane} ({words}): name an endpoint of your own for them"
            ),
            _ when mayBeAbsent => (ParkReason.Unexplained, words),
            KeyState.Valid when own is not null => (
                ParkReason.ProductRefused,
                $"the key is valid on {Where}, and {own.Host} refuses {lane} ({words})"
            ),
            KeyState.Valid => (
                ParkReason.ProductRefused,
                $"the key is valid on {Where}, and this product is refused ({words})"
            ),
            KeyState.Refused when await FindSiteAsync(cancellationToken).ConfigureAwait(false) is { } site => (
                ParkReason.OtherSite,
                $"the key is valid on {site}; the site is set to {options.Site} ({words})"
            ),
            KeyState.Missing => (ParkReason.KeyMissing, $"{own?.Host} wants a key ({words})"),
            KeyState.Refused => (ParkReason.KeyUnknown, $"the key is not known on {Where} ({words})"),
            KeyState.NotDatadog => (ParkReason.NotDatadog, key.Message ?? words),
            _ => (ParkReason.Unexplained, words),
        };
    }

    private string Where => options.IntakeUrl?.Host ?? options.Site;

    private static bool MayHaveArrived(HttpRequestMessage request) =>
        request.Content is BodyContent { IsHandedOver: true };

    private Uri To(Lane lane, string path) => lane.OwnEndpoint(options) ?? At(lane.Host, path);

    private Uri At(string host, string path)
    {
        var root = options.IntakeUrl?.GetLeftPart(UriPartial.Path).TrimEnd('/') ?? $"https://{host}.{options.Site}";
        return new Uri(root + path);
    }

    private async Task<IntakeResponse> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var owned = request;
        using var timeout = new CancellationTokenSource(AnswerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        if (HasKey)
        {
            request.Headers.TryAddWithoutValidation("DD-API-KEY", options.ApiKey);
        }

        request.Headers.TryAddWithoutValidation("User-Agent", "agentless-datadog/1.0");
        request.Headers.TryAddWithoutValidation("Accept", "application/json, application/x-protobuf;q=0.9");
        var asked = clock.GetTimestamp();
        Asking.Value = true;
        var proxy = options.Proxy(request.RequestUri!);
        var sending = connections
            .Through(proxy)
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        HttpResponseMessage? response = null;
        try
        {
            // A handler that ignores its token must not hold the lane: the wait ends all the same.
            response = await sending.WaitAsync(either.Token).ConfigureAwait(false);
            var body = await ReadAsync(response, either.Token).WaitAsync(either.Token).ConfigureAwait(false);
            var answer = IntakeResponse.Read(response, body, clock.GetUtcNow(), Redact);
            // The clock of whoever stands in the way says nothing about Datadog's.
            if (answer is { At: { } theirs, Verdict: not Verdict.NotDatadog })
            {
                clock.Tell(theirs, asked);
            }

            return answer;
        }
        catch (OperationCanceledException)
        {
            var why = cancellationToken.IsCancellationRequested
                ? "stopped before an answer"
                : $"no answer within {AnswerTimeout.TotalSeconds} s";
            return Broken(why);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return Broken(Redact(ErrorText(error, proxy ?? request.RequestUri!))) with
            {
                Verdict = IsBarred(error) ? Verdict.NotDatadog : Verdict.Wait,
                IsAbsent = proxy is null && IsNoHost(error),
            };
        }
        finally
        {
            _ = ReleaseAsync(sending);
        }

        IntakeResponse Broken(string why) =>
            response is null
                ? IntakeResponse.None(why) with
                {
                    IsUncertain = MayHaveArrived(request),
                }
                : IntakeResponse.Torn(response, why, clock.GetUtcNow());
    }

    // An answer that comes when nobody waits for it any more must not keep its connection.
    private static async Task ReleaseAsync(Task<HttpResponseMessage> sending)
    {
        await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (sending.IsCompletedSuccessfully)
        {
            (await sending.ConfigureAwait(false)).Dispose();
        }
    }

    // What these two say themselves is to look there, or something that nobody has heard of.
    private static string ErrorText(Exception error, Uri next) =>
        error switch
        {
            HttpRequestException
            {
                HttpRequestError: HttpRequestError.SecureConnectionError,
                InnerException: { } tls
            } => $"no secure connection: {First(tls)}",
            HttpRequestException
            {
                HttpRequestError: HttpRequestError.NameResolutionError,
                InnerException: SocketException { SocketErrorCode: SocketError.TryAgain }
            } => $"no name server says where {next.IdnHost} is",
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } =>
                $"no such host: {next.IdnHost}",
            _ => First(error),
        };

    // What was thrown first says what happened, as in "Connection reset by peer"; the outermost may say it, and where.
    private static string First(Exception error)
    {
        var first = error.GetBaseException().Message;
        return error.Message.Contains(first, StringComparison.Ordinal) ? error.Message : first;
    }

    // A proxy that does not let us through; one that cannot get through itself is an outage like any other.
    private static bool IsBarred(Exception error) =>
        error
            is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ProxyTunnelError,
                StatusCode: < HttpStatusCode.InternalServerError,
            };

    // Said for good, unlike a name server that does not answer.
    private static bool IsNoHost(Exception error) =>
        error
            is HttpRequestException
            {
                HttpRequestError: HttpRequestError.NameResolutionError,
                InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound },
            };

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var decoded = CodedAnswer.Decode(stream, response.Content.Headers.ContentEncoding);
        await using var owned = decoded.ConfigureAwait(false);
        var buffer = new byte[MaxAnswer];
        try
        {
            var length = await decoded
                .ReadAtLeastAsync(buffer, MaxAnswer, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
            return buffer.AsMemory(0, length);
        }
        // What is not Brotli is an operation that is not valid to .NET.
        catch (Exception error) when (error is InvalidDataException or InvalidOperationException or ZstdException)
        {
            var codings = string.Join(", ", response.Content.Headers.ContentEncoding);
            throw new IOException($"the answer's body is not {codings}");
        }
    }

    // A proxy may send back what it was sent, key and all.
    private string Redact(string text) =>
        HasKey ? text.Replace(options.ApiKey!, "[API key]", StringComparison.OrdinalIgnoreCase) : text;
}
