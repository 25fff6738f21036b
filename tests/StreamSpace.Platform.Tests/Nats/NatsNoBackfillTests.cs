using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Nats;

/// <summary>A stream that is not there, may not be read, or answers slowly or wrongly: what is live goes on.</summary>
public sealed class NatsNoBackfillTests : IAsyncDisposable
{
    private readonly UpstreamMessages _upstream = new(seed: 1);
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly NatsEar _ear;

    public NatsNoBackfillTests() => _ear = new NatsEar(_clock);

    private static string FromTheStart => new StreamPosition(Some.Morning, 0, null).ToString();

    private DateTimeOffset Now => _clock.GetUtcNow();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WithoutJetStreamWhatIsLiveGoesOn()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await _ear.ListenAsync(server.Url);
        await _ear.SaysAsync("no backfill: the server has no JetStream");
        await HearsAsync(server, "s");
        _ear.Kept.ShouldBeNull();
    }

    [Fact]
    public async Task AStreamThatAppearsIsReadFromItsFirstMessage()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await _ear.ListenAsync(server.Url);
        await _ear.SaysAsync("no backfill: the stream STREAMSPACE_SESSIONS is not there");
        await HearsAsync(server, "live");
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Kept == StreamPosition.NoStream, "a checkpoint");
        await _ear.StopAsync();

        await NatsServer.CreateStreamsAsync(api);
        await NatsServer.StoreAsync(api, _upstream.Create("missed", "ada", "chrome", Now));
        await _ear.ListenAsync(server.Url);
        await _ear.Subscriber.Changed.UntilAsync(() => Created("missed"), "the missed session");
    }

    [Fact]
    public async Task AStreamThatIsMadeWhileWeListenIsFound()
    {
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await _ear.ListenAsync(server.Url);
        await _ear.SaysAsync("no backfill");
        await NatsServer.CreateStreamsAsync(api);
        await HearsAsync(server, "live");
        await _ear.AdvanceUntilAsync(() => _ear.Kept?.Sequence == 2, "a checkpoint");
        _ear.Source.Status.Detail.ShouldBe($"Hears {server.Url}.");
        _ear.Source.Status.Received.ShouldBe(1);
    }

    [Theory]
    [InlineData("publish: { deny: \"$JS.API.STREAM.INFO.>\" }")]
    [InlineData("publish: { deny: \"$JS.API.STREAM.MSG.GET.>\" }")]
    [InlineData("subscribe: { deny: \"_INBOX.>\" }")]
    public async Task AUserThatMayNotReadIsToldWhatToGrantAndHearsOn(string permissions)
    {
        var folder = TestRun.NewGivenFolder();
        var config = Path.Combine(folder, "nats.conf");
        string Config(string user) =>
            $"authorization {{ users = [ {{ user: api, password: y }}, {{ user: ada, password: {Secret.NatsPassword} {user} }} ] }}";
        await File.WriteAllTextAsync(config, Config($", permissions: {{ {permissions} }}"), Cancel);
        await using var server = await NatsServer.StartAsync(true, "-c", config);
        await using var api = await server.ConnectAsync("api", "y");
        await NatsServer.CreateStreamsAsync(api);
        await NatsServer.StoreAsync(api, _upstream.Create("past", "ada", "chrome", Now));
        await _ear.ListenAsync(server.Url, "ada", Secret.NatsPassword);
        if (permissions.Contains("GET", StringComparison.Ordinal))
        {
            // The first look asks for no message.
            await _ear.KeptAsync(2);
            await _ear.AdvanceUntilAsync(() => _ear.Source.Status.Detail.Contains("no backfill"), "a second look");
        }
        await _ear.SaysAsync(
            "no backfill: the user may not ask; grant it to publish $JS.API.STREAM.INFO.STREAMSPACE_SESSIONS and "
                + "$JS.API.STREAM.MSG.GET.STREAMSPACE_SESSIONS and to subscribe _INBOX.>, and it is asked again at the next connection."
        );
        await _upstream.Create("live", "ada", "chrome", Now).PublishAsync(api);
        await _ear.Subscriber.Changed.UntilAsync(() => Created("live"), "the live session");
        _ear.Source.Status.State.ShouldBe(SourceState.Up);

        await File.WriteAllTextAsync(config, Config(""), Cancel);
        await server.KillAsync();
        await server.StartAsync();
        await _ear.AdvanceUntilAsync(() => _ear.Kept?.Sequence == 4, "a checkpoint once it may");
        Created("past").ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"created\":5}")]
    [InlineData("{\"error\":{\"code\":500,\"err_code\":1e99}}")]
    [InlineData("{\"error\":{\"code\":503,\"err_code\":10008}}")]
    public async Task AnAnswerThatIsNoneIsToldOnce(string answer)
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        stream.Answer = answer;
        await _ear.ListenAsync(server.Url);
        await _ear.SaysAsync("no backfill: the server");
        await HearsAsync(server, "s");
        await _ear.AdvanceUntilAsync(() => stream.Questions > 1, "more questions");
        _ear.Log.Lines.Count(l => l.Contains("No backfill", StringComparison.Ordinal)).ShouldBe(1);
        _ear.Source.Status.State.ShouldBe(SourceState.Up);

        stream.Answer = null;
        stream.Store(_upstream.Create("stored", "ada", "chrome", Now));
        await _ear.AdvanceUntilAsync(() => _ear.Kept?.Sequence == 1, "a checkpoint");
        _ear.Source.Status.Detail.ShouldBe($"Hears {server.Url}.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AServerThatDoesNotAnswerHoldsWhatIsLiveForItsTimeOnly(bool state)
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        var never = new TaskCompletionSource();
        stream.HoldState = state ? never.Task : Task.CompletedTask;
        stream.HoldMessages = never.Task;
        stream.Store(_upstream.Create("missed", "ada", "chrome", Now));
        _ear.Keep(FromTheStart);
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        await _ear.Subscriber.Changed.UntilAsync(() => stream.Questions == (state ? 1 : 2), "a question");
        await using var api = await server.ConnectAsync();
        await _upstream.Create("live", "ada", "chrome", Now).PublishAsync(api);
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Source.Status.Received == 1, "the live session");
        _clock.Advance(TimeSpan.FromSeconds(4));
        _ear.Subscriber.Facts.ShouldBeEmpty();
        _clock.Advance(TimeSpan.FromSeconds(1));
        await _ear.Subscriber.Changed.UntilAsync(() => Created("live"), "the live session");
        await _ear.SaysAsync("no backfill: the server does not answer in time");

        never.SetResult();
        await _ear.AdvanceUntilAsync(() => Created("missed"), "the missed session");
        await _ear.SaysAsync("missed messages read back: 1");
    }

    [Fact]
    public async Task ALongReadBackTellsItsProgressAndHoldsWhatIsLiveForTenSeconds()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        stream.Store(Enumerable.Range(0, 1000).Select(i => _upstream.Create($"s{i}", "ada", "chrome", Now)));
        var hold = new TaskCompletionSource();
        stream.HoldMessages = hold.Task;
        _ear.Keep(FromTheStart);
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        await using var api = await server.ConnectAsync();
        await _upstream.Create("live", "ada", "chrome", Now).PublishAsync(api);
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Source.Status.Received == 1, "the live session");

        for (var window = 1; window <= 4; window++)
        {
            await _ear.Subscriber.Changed.UntilAsync(
                () => stream.Questions == 1 + (32 * window),
                "a window's questions"
            );
            Created("live").ShouldBeFalse();
            _clock.Advance(TimeSpan.FromSeconds(2.5));
            _ear.Source.Status.Detail.ShouldContain(
                $"reads back what was missed: {32 * (window - 1)} of 1000 messages"
            );
            var next = new TaskCompletionSource();
            stream.HoldMessages = next.Task;
            hold.SetResult();
            hold = next;
        }
        await _ear.Subscriber.Changed.UntilAsync(() => Created("live"), "the live session");
        _ear.Subscriber.Facts.Count.ShouldBeLessThan(1000);
        hold.SetResult();
        await _ear.SaysAsync("missed messages read back: 1000");
    }

    [Fact]
    public async Task MoreLiveThanMayWaitDoesNotWait()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        var hold = new TaskCompletionSource();
        stream.HoldMessages = hold.Task;
        stream.Store(_upstream.Create("missed", "ada", "chrome", Now));
        _ear.Keep(FromTheStart);
        await _ear.ListenAsync(server.Url);
        await _ear.UpAsync();
        await using var api = await server.ConnectAsync();
        for (var i = 0; i < 5000; i++)
        {
            await _upstream.Create($"s{i}", "ada", "chrome", Now).PublishAsync(api);
        }
        await _ear.Subscriber.Changed.UntilAsync(() => _ear.Subscriber.Facts.Count == 5000, "5000 sessions");
        hold.SetResult();
        await _ear.Subscriber.Changed.UntilAsync(() => Created("missed"), "the missed session");
    }

    [Fact]
    public async Task WhatWasNotHeardAlthoughWeListenedIsReadAtTheNextLook()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(0);
        stream.Store(_upstream.Create("unheard", "ada", "chrome", Now));
        await _ear.AdvanceUntilAsync(() => Created("unheard"), "the unheard session");
        await _ear.KeptAsync(1);
    }

    [Fact]
    public async Task WhatAStreamThatLostItsEndHadLongBeforeIsNotTakenAgain()
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        // The n-th is stored in the n-th second.
        stream.Store(Enumerable.Range(1, 200).Select(n => _upstream.Create($"s{n}", "ada", "chrome", Now)));
        _ear.Keep(new StreamPosition(Some.Morning, 1000, Some.At(100)).ToString());
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(200);
        // A minute of doubt about the server's clock.
        _ear.Subscriber.Facts.OfType<SessionCreated>().Count().ShouldBe(161);
        Created("s39").ShouldBeFalse();
        Created("s40").ShouldBeTrue();
    }

    [Theory]
    [InlineData("2 2026-03-02T08:00:00Z 5 -")]
    [InlineData("1 yesterday 5 -")]
    [InlineData("")]
    public async Task ACheckpointThatIsNotUnderstoodIsToldAndTheStreamsEndIsTheBeginning(string checkpoint)
    {
        await using var server = await NatsServer.StartAsync(jetStream: false);
        await using var stream = await ScriptedStream.OnAsync(server);
        stream.Store(_upstream.Create("past", "ada", "chrome", Now));
        _ear.Keep(checkpoint);
        await _ear.ListenAsync(server.Url);
        await _ear.KeptAsync(1);
        _ear.Subscriber.Facts.ShouldBeEmpty();
        _ear.Log.Lines.Count(l => l.Contains("is not understood", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void ACheckpointIsReadAsItWasWritten()
    {
        StreamPosition[] positions =
        [
            StreamPosition.NoStream,
            new(Some.Morning, ulong.MaxValue, null),
            new(Some.Morning.AddTicks(1), 0, Some.Morning.ToOffset(TimeSpan.FromHours(2))),
        ];
        foreach (var position in positions)
        {
            StreamPosition.Parse(position.ToString()).ShouldBe(position);
        }
    }

    public ValueTask DisposeAsync() => _ear.DisposeAsync();

    private bool Created(string session) =>
        _ear.Subscriber.Facts.OfType<SessionCreated>().Any(e => e.Session.Id == session);

    private async Task HearsAsync(NatsServer server, string session)
    {
        await using var api = await server.ConnectAsync();
        await _upstream.Create(session, "ada", "chrome", Now).PublishAsync(api);
        await _ear.Subscriber.Changed.UntilAsync(() => Created(session), session);
    }
}
