using System.Text.Json;
using Shouldly;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.Platform.Tests.Support;
using Xunit;

namespace StreamSpace.Platform.Tests.Webhooks;

/// <summary>What is read of an event in StreamSpace's webhook form.</summary>
public sealed class WebhookEventTests
{
    [Theory]
    [InlineData("2026-03-02T08:00:00Z", 0)]
    [InlineData("2026-03-02T09:00:00.25+01:00", 0.25)]
    [InlineData("2026-03-02T00:30:00.123456789-07:30", 0.1234567)]
    public void ATimeInRfc3339IsTaken(string time, double second)
    {
        var (seen, reason) = Read(time);
        reason.ShouldBeNull();
        seen!.At.ShouldBe(Some.At(second));
    }

    [Theory]
    [InlineData("11/12/2026")]
    [InlineData("12:00")]
    [InlineData("2026-03-02")]
    [InlineData("2026-03-02T08:00Z")]
    [InlineData("2026-03-02T08:00:00")]
    [InlineData("2026-03-02 08:00:00Z")]
    [InlineData("2026-03-02T08:00:00+0100")]
    [InlineData("2026-03-02T08:00:00+1:00")]
    [InlineData("2026-03-02T08:00:00.Z")]
    [InlineData("2026-03-02T08:00:00,5Z")]
    [InlineData(" 2026-03-02T08:00:00Z")]
    [InlineData("2026-03-02T08:00:00Z\n")]
    [InlineData("2026-02-30T08:00:00Z")]
    [InlineData("Mon, 02 Mar 2026 08:00:00 GMT")]
    [InlineData("1772438400")]
    public void AnyOtherTimeIsRefused(string time)
    {
        var (seen, reason) = Read(time);
        seen.ShouldBeNull();
        reason.ShouldBe("timestamp must be a time in RFC 3339, such as 2026-01-02T03:04:05Z");
    }

    private static (Platform.Sources.Observation? Seen, string? Reason) Read(string time)
    {
        var item = JsonSerializer.SerializeToElement(
            new
            {
                @event = "session.created",
                timestamp = time,
                data = new { id = "s" },
            }
        );
        return WebhookEvent.Read(item, Some.Morning);
    }
}
