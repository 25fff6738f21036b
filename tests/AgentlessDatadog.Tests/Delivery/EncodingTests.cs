using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>How a request is compressed is agreed with whoever takes it.</summary>
public sealed class EncodingTests
{
    public static TheoryData<int, string> Refusals =>
        new()
        {
            { 415, "" },
            { 415, """{"errors":["Unsupported Media Type"]}""" },
            { 400, """{"errors":["unsupported \"Content-Encoding\" zstd"]}""" },
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task ARefusedEncodingFallsBackToTheNextWhichIsUsedFromThenOn(int status, string body)
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r => r.Encoding == "zstd" ? new FarEndAnswer(status, body) : FarEndAnswer.Accepted;
        for (var i = 0; i < 3; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.FlushAsync();
            await rig.UntilSent();
        }

        rig.FarEnd.Requests.Select(r => r.Encoding).ShouldBe(["zstd", "deflate", "deflate", "deflate"]);
        rig.FarEnd.Requests.Select(r => Convert.ToHexString(r.Raw)).Distinct().Count().ShouldBe(3);
        rig.Ledger(Lane.Metrics).ShouldBe(3, delivered: 3);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task AnotherFarEndIsAskedInThePreferredEncodingAgain()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r => r.Encoding == "zstd" ? new FarEndAnswer(415) : FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.ConfigureAsync(rig.Options with { IntakeUrl = new Uri("http://other.invalid") });
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Requests[^1].Encoding.ShouldBe("zstd");
    }

    [Fact]
    public async Task WhatIsRefusedInEveryEncodingIsRejectedWithTheServersWords()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(400, """{"errors":["the encoding of a name is wrong"]}""");
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Requests.Select(r => r.Encoding).ShouldBe(["zstd", "deflate"]);
        rig.Ledger(Lane.Metrics).ShouldBe(1, rejected: 1);
        rig.Ledger(Lane.Metrics).Reasons.Keys.ShouldBe(["400 Bad Request: the encoding of a name is wrong"]);
    }
}
