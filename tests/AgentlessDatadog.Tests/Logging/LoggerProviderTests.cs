using System.Diagnostics;
using System.Text.Json;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Logging;

/// <summary>What a program logs, as it arrives at Datadog.</summary>
public sealed partial class LoggerProviderTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly DatadogLoggerProvider _provider;
    private readonly ILogger _log;

    public LoggerProviderTests()
    {
        _provider = new DatadogLoggerProvider(_clock);
        _log = _provider.CreateLogger("Desk.Sessions");
    }

    public ValueTask DisposeAsync() => _provider.DisposeAsync();

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Second} came after {first:X4}, {{as is}} @here")]
    private static partial void LogOrder(ILogger logger, int first, string second);

    [Fact]
    public async Task AnEntryHasItsMessageItsValuesItsScopesAndItsTrace()
    {
        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        using var activity = new Activity("work").SetIdFormat(ActivityIdFormat.W3C).Start();
        using (_log.BeginScope(new Dictionary<string, object?> { ["RequestId"] = "r1" }))
        {
            LogOrder(_log, 255, "@ann %%% <b>");
        }

        var entry = (await SentAsync(rig)).ShouldHaveSingleItem();
        entry.GetProperty("message").GetString().ShouldBe("＠ann ％％％ ＜b＞ came after 00FF, {as is} @here");
        entry.GetProperty("status").GetString().ShouldBe("warn");
        entry.GetProperty("logger.name").GetString().ShouldBe("Desk.Sessions");
        entry.GetProperty("first").GetInt64().ShouldBe(255);
        entry.GetProperty("Second").GetString().ShouldBe("@ann %%% <b>");
        entry.GetProperty("event.name").GetString().ShouldBe("LogOrder");
        entry.GetProperty("RequestId").GetString().ShouldBe("r1");
        entry.GetProperty("dd.trace_id").GetString().ShouldBe(activity.TraceId.ToHexString());
        ulong.Parse(entry.GetProperty("dd.span_id").GetString()!, null)
            .ToString("x16")
            .ShouldBe(activity.SpanId.ToHexString());
    }

    [Fact]
    public async Task AnExceptionIsAnErrorWithItsKindMessageAndStack()
    {
        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        try
        {
            throw new InvalidOperationException("it broke", new TimeoutException("too late"));
        }
        catch (InvalidOperationException error)
        {
            _log.LogError(error, "It went wrong");
        }
        var entry = (await SentAsync(rig)).ShouldHaveSingleItem();
        entry.GetProperty("error.kind").GetString().ShouldBe("System.InvalidOperationException");
        entry.GetProperty("error.message").GetString().ShouldBe("it broke: too late");
        entry
            .GetProperty("error.stack")
            .GetString()!
            .ShouldContain(nameof(AnExceptionIsAnErrorWithItsKindMessageAndStack));
    }

    [Fact]
    public async Task WhatIsBelowInformationIsNotSentAndSecretsDoNotLeave()
    {
        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        _log.LogDebug("Nobody sees it");
        _log.LogInformation("Connected to {Url} with password={Password}", "nats://a:hunter2@b", "hunter2");
        var entry = (await SentAsync(rig)).ShouldHaveSingleItem();
        entry.GetRawText().ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task AStormOfOneMessageIsFoldedWithItsCountAndHidesNoOther()
    {
        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        for (var i = 0; i < 1_000; i++)
        {
            _log.LogWarning("Attempt {Number} failed", i);
        }

        _log.LogWarning("Something else");
        _clock.Advance(TimeSpan.FromMinutes(1));
        _log.LogWarning("Attempt {Number} failed", 1_000);

        var messages = (await SentAsync(rig)).ConvertAll(entry => entry.GetProperty("message").GetString()!);
        messages.Count(message => message.StartsWith("Attempt", StringComparison.Ordinal)).ShouldBe(61);
        messages.ShouldContain("Something else");
        messages.ShouldContain("940 more like this within a minute: Attempt ｛Number｝ failed");
    }

    [Fact]
    public async Task WhatIsLoggedBeforeThereIsAPipelineIsSentOnceThereIsOne()
    {
        _log.LogInformation("Early");
        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        (await SentAsync(rig)).ShouldHaveSingleItem().GetProperty("message").GetString().ShouldBe("Early");
    }

    [Fact]
    public async Task WhatIsManyBeforeAnybodyLooksIsHandedOverAtOnce()
    {
        for (var i = 0; i < 600; i++)
        {
            _provider.CreateLogger($"Desk.{i}").LogInformation("It came");
        }

        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        await rig.Until(() => rig.Ledger(Lane.Logs).Accepted == 600);
    }

    [Fact]
    public async Task WhatFindsNoRoomIsCountedAndTold()
    {
        for (var i = 0; i < 10_050; i++)
        {
            _provider.CreateLogger($"Desk.{i}").LogInformation("It came");
        }

        await using var rig = await Rig.StartAsync(clock: _clock);
        _provider.SendTo(rig.Pipeline);
        var messages = (await SentAsync(rig)).ConvertAll(entry => entry.GetProperty("message").GetString()!);
        messages.Count.ShouldBe(10_001);
        messages.ShouldContain("50 log entries were dropped: more came than could be kept.");
    }

    [Fact]
    public async Task WhatThePipelineLogsAboutSendingLogsMakesNoLogAndWhatItLogsAboutOtherLanesDoes()
    {
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(_provider));
        var farEnd = new FarEnd(_clock) { Answer = _ => new FarEndAnswer(503) };
        await using var pipeline = new TelemetryPipeline(
            new MemoryStore(),
            new TelemetryOptions { IntakeUrl = farEnd.Url, ApiKey = Secret.ApiKey },
            _clock,
            () => 0.5,
            factory.CreateLogger("Desk.Telemetry"),
            _ => farEnd
        );
        await pipeline.StartAsync(default);
        _provider.SendTo(pipeline);
        await pipeline.KeepAsync([Some.Log(_clock.GetUtcNow()), Some.Count()], default);
        await pipeline.FlushAsync(default);
        for (var i = 0; i < 50; i++)
        {
            await Patience.Until(
                () => Lane("logs").NextTry > _clock.GetUtcNow() && Lane("metrics").NextTry > _clock.GetUtcNow(),
                () => $"{Lane("logs")} {Lane("metrics")}"
            );
            _clock.Advance(TimeSpan.FromSeconds(64));
        }
        farEnd.Answer = _ => FarEndAnswer.Accepted;
        await _provider.DisposeAsync();
        await Patience.Until(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(64));
                return pipeline.Status.Queue.Requests == 0 && Lane("logs").Ledger.Queued == 0;
            },
            () => $"{Lane("logs")}"
        );

        var messages = Entries(farEnd).ConvertAll(entry => entry.GetProperty("message").GetString()!);
        messages.ShouldContain(message => message.StartsWith("The metrics wait", StringComparison.Ordinal));
        messages.ShouldNotContain(message => message.Contains("The logs wait", StringComparison.Ordinal));

        LaneStatus Lane(string name) => pipeline.Status.Lanes.Single(lane => lane.Lane == name);
    }

    // Everything that was logged, once it has arrived.
    private async Task<List<JsonElement>> SentAsync(Rig rig)
    {
        await _provider.DisposeAsync();
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
        return Entries(rig.FarEnd);
    }

    private static List<JsonElement> Entries(FarEnd farEnd) =>
        [
            .. farEnd
                .Requests.Where(request => request.Path == "/api/v2/logs")
                .SelectMany(request => JsonDocument.Parse(request.Raw).RootElement.EnumerateArray()),
        ];
}
