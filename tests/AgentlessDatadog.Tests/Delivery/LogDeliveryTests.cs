using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>Log entries on their way (docs/reference/datadog.md §6.1).</summary>
public sealed class LogDeliveryTests
{
    [Fact]
    public async Task EntriesOfAnIntervalAreOneRequestAndNoRequestHasMoreThanAThousand()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["service:desk"], Host = "node-1" });
        for (var i = 0; i < 25; i++)
        {
            await rig.KeepAsync([.. Enumerable.Range(0, 100).Select(_ => Some.Log(rig.Clock.GetUtcNow()))]);
        }

        rig.FarEnd.Requests.ShouldBeEmpty();
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Requests.Select(r => (r.Path, r.ContentType, r.Encoding))
            .Distinct()
            .ShouldBe([("/api/v2/logs", "application/json", "zstd")]);
        rig.FarEnd.Requests.Select(Count).Order().ShouldBe([500, 1_000, 1_000]);
        rig.Ledger(Lane.Logs).ShouldBe(2_500, delivered: 2_500);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task AnErrorNeedsNoMessageAndWhatSaysNothingIsRejected()
    {
        await using var rig = await Rig.StartAsync();
        var now = rig.Clock.GetUtcNow();
        await rig.KeepAsync(
            new LogEntry("", now) { Error = new ErrorDetails("System.IO.IOException", "The disk is full.") },
            new LogEntry(" ", now)
        );
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Logs).ShouldBe(2, delivered: 1, rejected: 1);
        rig.Ledger(Lane.Logs).Reasons.Keys.ShouldBe(["message is empty"]);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatWasWrittenAheadWasWrittenNowAndWhatIsTooOldIsRejected()
    {
        await using var rig = await Rig.StartAsync();
        var now = rig.Clock.GetUtcNow();
        await rig.KeepAsync(Some.Log(now.AddDays(1)), Some.Log(now.AddHours(-19)), Some.Log(now, message: " "));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Logs).ShouldBe(3, delivered: 1, rejected: 2);
        rig.Ledger(Lane.Logs)
            .Reasons.Keys.ShouldBe(["it was written more than 18 h ago", "message is empty"], ignoreOrder: true);
        using var json = JsonDocument.Parse(rig.FarEnd.Requests.Single().Raw);
        json.RootElement[0].GetProperty("timestamp").GetInt64().ShouldBe(now.ToUnixTimeMilliseconds());
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task A413HalvesARequestOfEntriesToo()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r => Count(r) > 3 ? new FarEndAnswer(413, "<html>") : FarEndAnswer.Accepted;
        await rig.KeepAsync([.. Enumerable.Range(0, 10).Select(i => Some.Log(rig.Clock.GetUtcNow(), $"entry {i}"))]);
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Logs).ShouldBe(10, delivered: 10);
        rig.FarEnd.Requests.Where(r => Count(r) <= 3).Sum(Count).ShouldBe(10);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task AnAttributeThatThrowsIsItsCallersAffairAlone()
    {
        await using var rig = await Rig.StartAsync();
        var bad = Some.Log(rig.Clock.GetUtcNow()) with { Attributes = [new("bad", new Throwing())] };
        await Should.ThrowAsync<NotSupportedException>(async () => await rig.KeepAsync(bad));
        await rig.KeepAsync(Some.Log(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Logs).ShouldBe(1, delivered: 1);
    }

    private static int Count(FarEndRequest request)
    {
        using var json = JsonDocument.Parse(request.Raw);
        return json.RootElement.GetArrayLength();
    }

    private sealed class Throwing
    {
        public override string ToString() => throw new NotSupportedException();
    }
}
