using System.Globalization;
using System.Text;
using System.Text.Json;
using NATS.Client.Core;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>The stream cannot be read now.</summary>
/// <param name="reason">Why, as the end of a sentence; nothing of the server's own words.</param>
internal sealed class StreamUnreadableException(string reason) : Exception(reason)
{
    /// <summary>True when the server said that there is no such stream.</summary>
    public bool NoStream { get; init; }
}

/// <summary>What there is of the stream.</summary>
/// <param name="Created">When it was made.</param>
/// <param name="First">The first sequence that it still has; one more than the last when it is empty.</param>
/// <param name="Last">The last sequence that it gave, 0 for none.</param>
/// <param name="LastAt">When that was, by the server's clock; null when it does not know.</param>
/// <param name="Keeps">How long it keeps a message; zero for ever.</param>
internal sealed record StreamExtent(
    DateTimeOffset Created,
    ulong First,
    ulong Last,
    DateTimeOffset? LastAt,
    TimeSpan Keeps
);

/// <summary>A message that the stream has.</summary>
/// <param name="Subject">Where it was published.</param>
/// <param name="Body">Its bytes.</param>
/// <param name="StoredAt">When it was stored, by the server's clock.</param>
internal sealed record StoredMessage(string Subject, byte[] Body, DateTimeOffset StoredAt);

/// <summary>
/// Reads the stream in which JetStream keeps StreamSpace's session messages. Only the two requests that change
/// nothing: the state of the stream, and a message by its sequence. A consumer, a mirror or a source would drain or
/// block the platform's work queue (docs/reference/streamspace.md §4.4).
/// </summary>
internal sealed class SessionStream(NatsConnection connection, TimeProvider clock)
{
    public const string Name = "STREAMSPACE_SESSIONS";

    private const string InfoSubject = $"$JS.API.STREAM.INFO.{Name}";
    private const string GetSubject = $"$JS.API.STREAM.MSG.GET.{Name}";
    private const int NoSuchMessage = 10037;
    private const int NoSuchStream = 10059;
    private const int OffForAccount = 10039;
    private const int Off = 10076;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// To be called when the server says that the user lacks a right. What is asked then gets no answer, and the
    /// server logs each try, so that nothing is asked any more on this connection.
    /// </summary>
    public void Refuse() => _refused.TrySetResult();

    /// <summary>What there is of the stream.</summary>
    /// <exception cref="StreamUnreadableException">It is not there, or does not answer.</exception>
    public Task<StreamExtent> LookAsync(CancellationToken cancellationToken) =>
        WithinAsync(
            async token =>
            {
                using var answer = await AskAsync(InfoSubject, [], token);
                var info = answer.RootElement;
                var state = info.GetProperty("state");
                return new StreamExtent(
                    Time(info.GetProperty("created")) ?? throw new FormatException(),
                    state.GetProperty("first_seq").GetUInt64(),
                    state.GetProperty("last_seq").GetUInt64(),
                    Time(state.GetProperty("last_ts")),
                    TimeSpan.FromMicroseconds(info.GetProperty("config").GetProperty("max_age").GetInt64() / 1000)
                );
            },
            cancellationToken
        );

    /// <summary>The messages from sequence <paramref name="first"/> on, all asked for at once; null for each that is gone.</summary>
    /// <exception cref="StreamUnreadableException">The stream is not there, or does not answer.</exception>
    public Task<StoredMessage?[]> ReadAsync(ulong first, int count, CancellationToken cancellationToken) =>
        WithinAsync(
            token => Task.WhenAll(Enumerable.Range(0, count).Select(i => ReadAsync(first + (ulong)i, token))),
            cancellationToken
        );

    private async Task<StoredMessage?> ReadAsync(ulong sequence, CancellationToken cancellationToken)
    {
        var question = string.Create(CultureInfo.InvariantCulture, $$"""{"seq":{{sequence}}}""");
        using var answer = await AskAsync(GetSubject, Encoding.ASCII.GetBytes(question), cancellationToken);
        return answer.RootElement.TryGetProperty("message", out var message)
            ? new StoredMessage(
                message.GetProperty("subject").GetString() ?? "",
                message.TryGetProperty("data", out var data) ? data.GetBytesFromBase64() : [],
                Time(message.GetProperty("time")) ?? throw new FormatException()
            )
            : null;
    }

    private async Task<JsonDocument> AskAsync(string subject, byte[] question, CancellationToken cancellationToken)
    {
        var reply = await connection.RequestAsync<byte[], byte[]>(
            subject,
            question,
            cancellationToken: cancellationToken
        );
        var answer = JsonDocument.Parse(reply.Data ?? []);
        if (!answer.RootElement.TryGetProperty("error", out var error))
        {
            return answer;
        }
        var code = error.TryGetProperty("err_code", out var number) ? number.GetInt32() : 0;
        if (code == NoSuchMessage)
        {
            return answer;
        }
        answer.Dispose();
        throw code switch
        {
            NoSuchStream => new StreamUnreadableException(
                $"the stream {Name} is not there; StreamSpace's API makes it when it starts"
            )
            {
                NoStream = true,
            },
            OffForAccount or Off => JetStreamIsOff(),
            _ => new StreamUnreadableException($"the server refuses to tell of the stream {Name} (error {code})"),
        };
    }

    private async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        var refused = _refused.Task;
        if (refused.IsCompleted)
        {
            throw MayNotAsk();
        }
        using var stop = new CancellationTokenSource(AnswerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, cancellationToken);
        try
        {
            var asking = ask(either.Token);
            if (await Task.WhenAny(asking, refused) == refused)
            {
                await stop.CancelAsync();
            }
            return await asking;
        }
        catch (NatsNoRespondersException)
        {
            throw JetStreamIsOff();
        }
        catch (Exception e)
            when (e is OperationCanceledException or NatsException && !cancellationToken.IsCancellationRequested)
        {
            throw refused.IsCompleted
                ? MayNotAsk()
                : new StreamUnreadableException("the server does not answer in time");
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new StreamUnreadableException("the server's answer is not understood");
        }
    }

    private static StreamUnreadableException MayNotAsk() =>
        new(
            $"the user may not ask; grant it to publish {InfoSubject} and {GetSubject} and to subscribe _INBOX.>, "
                + "and it is asked again at the next connection"
        );

    private static StreamUnreadableException JetStreamIsOff() => new("the server has no JetStream");

    // Go writes the year 1 for a time that is not set.
    private static DateTimeOffset? Time(JsonElement text) =>
        Rfc3339.TryParse(text.GetString() ?? "", out var time) && time.Year > 1 ? time : null;
}
