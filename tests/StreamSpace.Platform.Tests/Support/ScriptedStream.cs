using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NATS.Client.Core;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>
/// Answers for the stream of sessions in the place of a server without JetStream: slowly, wrongly, or not at all,
/// as a test wants.
/// </summary>
internal sealed class ScriptedStream : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<UpstreamMessage> _messages = [];
    private readonly NatsConnection _client;
    private Task _answering = Task.CompletedTask;

    private ScriptedStream(NatsConnection client) => _client = client;

    /// <summary>The whole answer to every question, in the place of a right one.</summary>
    public string? Answer { get; set; }

    /// <summary>Questions for the state of the stream get no answer before this is done.</summary>
    public Task HoldState { get; set; } = Task.CompletedTask;

    /// <summary>Questions for a message get no answer before this is done.</summary>
    public Task HoldMessages { get; set; } = Task.CompletedTask;

    /// <summary>Questions asked.</summary>
    public int Questions { get; private set; }

    /// <summary>Begins to answer.</summary>
    public static async Task<ScriptedStream> OnAsync(NatsServer server)
    {
        var stream = new ScriptedStream(await server.ConnectAsync());
        var questions = await stream._client.SubscribeCoreAsync<byte[]>("$JS.API.STREAM.>");
        await stream._client.PingAsync();
        stream._answering = stream.AnswerAsync(questions);
        return stream;
    }

    /// <summary>Stores messages that nobody hears.</summary>
    public void Store(params IEnumerable<UpstreamMessage> messages) => _messages.AddRange(messages);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.DisposeAsync();
        _stop.Dispose();
    }

    private async Task AnswerAsync(INatsSub<byte[]> questions)
    {
        await foreach (var question in questions.Msgs.ReadAllAsync(_stop.Token))
        {
            Questions++;
            var state = question.Subject.StartsWith("$JS.API.STREAM.INFO.", StringComparison.Ordinal);
            var answer = Answer ?? (state ? State() : Message(question.Data)).ToJsonString();
            _ = ReplyAsync(question, answer, state ? HoldState : HoldMessages);
        }
    }

    private async Task ReplyAsync(NatsMsg<byte[]> question, string answer, Task hold)
    {
        await hold.WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stop.IsCancellationRequested)
        {
            await question.ReplyAsync(Encoding.UTF8.GetBytes(answer));
        }
    }

    private JsonObject State() =>
        new()
        {
            ["config"] = new JsonObject { ["max_age"] = 86_400_000_000_000 },
            ["created"] = UpstreamMessages.Rfc3339(Some.Morning),
            ["state"] = new JsonObject
            {
                ["first_seq"] = 1,
                ["last_seq"] = _messages.Count,
                ["last_ts"] = UpstreamMessages.Rfc3339(Some.At(_messages.Count)),
            },
        };

    private JsonObject Message(byte[]? question)
    {
        using var asked = JsonDocument.Parse(question);
        var sequence = asked.RootElement.GetProperty("seq").GetInt32();
        var message = _messages[sequence - 1];
        return new JsonObject
        {
            ["message"] = new JsonObject
            {
                ["subject"] = message.Subject,
                ["seq"] = sequence,
                ["data"] = Convert.ToBase64String(message.Body),
                ["time"] = UpstreamMessages.Rfc3339(Some.At(sequence)),
            },
        };
    }
}
