using AgentlessDatadog;
using Shouldly;
using StreamSpace.Datadog.Health;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What lanes wait for is said once, however many wait for it.</summary>
public sealed class LaneFindingTests
{
    private const string Elsewhere = "the key is valid on datadoghq.eu; the site is set to datadoghq.com";

    [Fact]
    public void LanesThatWaitForOneThingAreOneFindingAndOthersTheirOwn()
    {
        LaneFindings
            .Of(
                [
                    Lane("metrics", Elsewhere, ParkReason.OtherSite),
                    Lane("distributions", Elsewhere, ParkReason.OtherSite),
                    Lane("events", "503: Service Unavailable", null),
                ],
                hasKey: true,
                tracesEndpoint: null
            )
            .ShouldBe([
                new(
                    "API key",
                    CheckVerdict.Error,
                    $"The metrics and distributions are kept and wait: {Elsewhere}.",
                    "Set site (or DD_SITE) to that site."
                ),
                new(
                    "intake",
                    CheckVerdict.Warning,
                    "The events wait, and are sent again by themselves: 503: Service Unavailable.",
                    "There is nothing to do unless it lasts: then look at https://status.datadoghq.com."
                ),
            ]);
    }

    [Fact]
    public void OfAKeyThatIsMissingOnlyOneFindingTells()
    {
        var lane = Lane("events", "no API key is set", ParkReason.KeyMissing);
        LaneFindings.Of([lane], hasKey: false, tracesEndpoint: null).ShouldBeEmpty();
    }

    [Fact]
    public void ARequestThatFailsAloneIsNamedWhileItsLaneSends()
    {
        var failure = new LaneFailure(
            DateTimeOffset.UnixEpoch,
            1,
            "500: it hurts",
            Verdict.Wait,
            500,
            "Request 7 has failed 5 times."
        );
        var lane = Lane("events", "500: it hurts", null) with { Verdict = Verdict.Delivered, Failure = failure };
        var finding = LaneFindings.Of([lane], hasKey: true, tracesEndpoint: null).ShouldHaveSingleItem();
        (finding.What, finding.Found).ShouldBe(("request of events", "Request 7 has failed 5 times."));
    }

    [Fact]
    public void ARefusalIsToldOnceItIsKnownWhatItMeans()
    {
        var failure = new LaneFailure(DateTimeOffset.UnixEpoch, 1, "403: Forbidden", Verdict.Refused, 403, null);
        LaneFindings
            .Of([Lane("events", "", null) with { Failure = failure }], hasKey: true, tracesEndpoint: null)
            .ShouldBeEmpty();
    }

    [Theory]
    [InlineData("200 OK and no JSON: this is not Datadog's answer", ParkReason.NotDatadog)]
    [InlineData(
        "the key is valid on datadoghq.eu, and collector refuses traces (403 Forbidden)",
        ParkReason.ProductRefused
    )]
    [InlineData("Connection refused (collector:4318)", null)]
    public void WhatATracesEndpointDoesIsMendedThereAndNotAtDatadog(string error, ParkReason? reason)
    {
        var lanes = new[] { Lane("metrics", error, reason), Lane("traces", error, reason) };
        var findings = LaneFindings.Of(lanes, hasKey: true, new Uri("http://collector:4318")).ToList();
        findings.Select(f => f.Found.Split(' ')[1]).ShouldBe(["metrics", "traces"]);
        findings.Select(f => f.Fix!.Contains("tracesEndpoint")).ShouldBe([false, true]);
        LaneFindings
            .Of(lanes, hasKey: true, new Uri("https://otlp.datadoghq.eu/v1/traces"))
            .ShouldAllBe(f => !f.Fix!.Contains("tracesEndpoint"));
    }

    [Fact]
    public void OfAKeyThatIsUnknownTheKeyIsNamedWhereverTracesGo()
    {
        var lane = Lane("traces", "the key is not known on datadoghq.eu (403 Forbidden)", ParkReason.KeyUnknown);
        LaneFindings
            .Of([lane], hasKey: true, new Uri("http://collector:4318"))
            .ShouldHaveSingleItem()
            .What.ShouldBe("API key");
    }

    [Fact]
    public void WhatADeliveredRequestHasRejectedIsToldUntilTheNextIsTakenWhole()
    {
        var lane = Lane("traces", "200 OK: no room for spans", null) with
        {
            State = LaneState.Open,
            Verdict = Verdict.Delivered,
            Failure = null,
        };
        LaneFindings
            .Of([lane], hasKey: true, tracesEndpoint: null)
            .ShouldHaveSingleItem()
            .Found.ShouldBe("Some traces were rejected for good: 200 OK: no room for spans.");
        LaneFindings.Of([lane with { LastError = null }], hasKey: true, tracesEndpoint: null).ShouldBeEmpty();
    }

    private static LaneStatus Lane(string name, string error, ParkReason? reason) =>
        new(
            name,
            reason is null ? LaneState.BackingOff : LaneState.Parked,
            reason is null ? Verdict.Wait : Verdict.Refused,
            LastStatus: reason is null ? 503 : 403,
            LastError: error,
            NextTry: DateTimeOffset.UnixEpoch,
            new LaneLedger(1, 0, 1, 0, 0, 0, 0, new Dictionary<string, long>())
        )
        {
            Unit = name,
            ParkReason = reason,
            Failure = reason is null
                ? new LaneFailure(DateTimeOffset.UnixEpoch, 1, error, Verdict.Wait, 503, null)
                : new LaneFailure(DateTimeOffset.UnixEpoch, 1, error, Verdict.Refused, 403, null),
        };
}
