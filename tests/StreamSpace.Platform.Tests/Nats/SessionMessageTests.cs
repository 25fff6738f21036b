using System.Buffers;
using System.Text;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Nats;

public class SessionMessageTests
{
    private readonly UpstreamMessages _upstream = new(seed: 1);

    [Fact]
    public void ACreateIsReadWithEverythingThatItTells()
    {
        var seen = Read(_upstream.Create("s", "ada", "chrome", At(1.5))).ShouldBeOfType<CreateRequested>();
        seen.ShouldSatisfyAllConditions(
            s => s.SessionId.ShouldBe("s"),
            s => s.At.ShouldBe(At(1.5)),
            s => s.User.ShouldBe(new PlatformUser("ada", "ada")),
            s => s.Template.ShouldBe("chrome"),
            s => s.Platform.ShouldBe("kubernetes"),
            s => Guid.TryParse(s.MessageId, out _).ShouldBeTrue()
        );
    }

    [Fact]
    public void EachSubjectIsItsOwnObservation()
    {
        Read(_upstream.Delete("s", "ada", At(0))).ShouldBeOfType<DeleteRequested>();
        Read(_upstream.Hibernate("s", "ada", At(0))).ShouldBeOfType<HibernateRequested>();
        Read(_upstream.Wake("s", "ada", At(0))).ShouldBeOfType<WakeRequested>();
        Status(_upstream.Status("s", "Running", At(0))).ShouldBe(ReportedStatus.Running);
        Status(_upstream.Status("s", "Hibernated", At(0))).ShouldBe(ReportedStatus.Hibernated);
        Status(_upstream.Status("s", "Terminated", At(0))).ShouldBe(ReportedStatus.Ended);
        Status(_upstream.DockerStatus("s", "running", At(0))).ShouldBe(ReportedStatus.Running);
        Status(_upstream.DockerStatus("s", "deleted", At(0))).ShouldBe(ReportedStatus.Ended);
    }

    [Fact]
    public void AStatusWithoutAPhaseIsDockers()
    {
        Read(_upstream.DockerStatus("s", "running", At(0)))!.Platform.ShouldBe("docker");
        Read(_upstream.Status("s", "Running", At(0)))!.Platform.ShouldBeNull();
        Read(_upstream.CreationFailed("s", "quota", At(0)))!.Platform.ShouldBeNull();
    }

    [Fact]
    public void AnEmptyPhaseLeavesTheWordToTheStatus()
    {
        var seen = Read(_upstream.CreationFailed("s", "quantity <2Gi & more>", At(0))).ShouldBeOfType<StatusReported>();
        seen.Status.ShouldBe(ReportedStatus.Failed);
        seen.Message.ShouldBe("quantity <2Gi & more>");
    }

    [Theory]
    [InlineData("2026-03-02T08:00:00Z", 0)]
    [InlineData("2026-03-02T08:00:00.5Z", 5_000_000)]
    [InlineData("2026-03-02T08:00:00.123456789Z", 1_234_567)]
    [InlineData("2026-03-02T08:00:00.999999999Z", 9_999_999)]
    [InlineData("2026-03-02T01:00:00.000000001-07:00", 0)]
    [InlineData("2026-03-02T13:45:00.1+05:45", 1_000_000)]
    [InlineData("2026-03-01T22:00:00-10:00", 0)]
    public void TimesAreReadAsGoWritesThem(string text, long ticks)
    {
        Rfc3339.TryParse(text, out var time).ShouldBeTrue();
        time.ShouldBe(Morning.AddTicks(ticks));
        time.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-03-02")]
    [InlineData("2026-03-02T08:00:00")]
    [InlineData("2026-03-02T08:00:00.Z")]
    [InlineData("2026-03-02T08:00:00.12345678xZ")]
    [InlineData("2026-03-02T08:00:00.1-+07:00")]
    [InlineData("2026-02-30T08:00:00Z")]
    [InlineData("2026-03-02T08:00:60Z")]
    [InlineData("0001-01-01T00:00:00+05:00")]
    [InlineData("2026-03-02 08:00:00Z")]
    [InlineData("2026-03-02T08:00:00ZZ")]
    public void WhatIsNoSuchTimeIsRefused(string text) => Rfc3339.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData("", "not-json")]
    [InlineData("{", "not-json")]
    [InlineData("[]", "not-json")]
    [InlineData("null", "not-json")]
    [InlineData("{} {}", "not-json")]
    [InlineData("{\"session_id\":\"\\ud800\"}", "not-json")]
    [InlineData("{\"timestamp\":\"2026-03-02T08:00:00Z\"}", "session-id")]
    [InlineData("{\"session_id\":\"\",\"timestamp\":\"2026-03-02T08:00:00Z\"}", "session-id")]
    [InlineData("{\"session_id\":7,\"timestamp\":\"2026-03-02T08:00:00Z\"}", "session-id")]
    [InlineData("{\"inner\":{\"session_id\":\"s\"},\"timestamp\":\"2026-03-02T08:00:00Z\"}", "session-id")]
    [InlineData("{\"session_id\":\"s\"}", "timestamp")]
    [InlineData("{\"session_id\":\"s\",\"timestamp\":\"yesterday\"}", "timestamp")]
    [InlineData("{\"session_id\":\"s\",\"timestamp\":\"0001-01-01T00:00:00Z\"}", "timestamp")]
    [InlineData("{\"session_id\":\"s\",\"timestamp\":\"2926-03-02T08:00:00Z\"}", "timestamp")]
    [InlineData("{\"session_id\":\"s\",\"timestamp\":\"2026-03-02T08:00:00Z\",\"status\":\"pending\"}", "status")]
    [InlineData("{\"session_id\":\"s\",\"timestamp\":\"2026-03-02T08:00:00Z\"}", "status")]
    public void AMalformedMessageIsRefusedByKind(string body, string kind)
    {
        var (seen, error) = Read(SessionSubjects.Status, Encoding.UTF8.GetBytes(body));
        seen.ShouldBeNull();
        error.ShouldNotBeNull().Kind.ShouldBe(kind);
    }

    [Fact]
    public void TooLargeAndTooDeepAreRefusedAndTheEdgesAreNot()
    {
        const string start =
            "{\"session_id\":\"s\",\"timestamp\":\"2026-03-02T08:00:00Z\",\"status\":\"running\",\"x\":";
        string Deep(int depth) => $"{start}{new string('[', depth - 1)}{new string(']', depth - 1)}}}";
        string Long(int bytes) => $"{start}\"{new string('x', bytes - start.Length - 3)}\"}}";

        Error(Deep(SessionMessage.MaxDepth)).ShouldBeNull();
        Error(Deep(SessionMessage.MaxDepth + 1)).ShouldBe("too-deep");
        Error(Deep(50_000)).ShouldBe("too-deep");
        Error(Long(SessionMessage.MaxBytes)).ShouldBeNull();
        Error(Long(SessionMessage.MaxBytes + 1)).ShouldBe("too-large");

        static string? Error(string body) => Read(SessionSubjects.Status, Encoding.UTF8.GetBytes(body)).Error?.Kind;
    }

    [Fact]
    public void BytesThatAreNotUtf8AreRefused() =>
        Read(SessionSubjects.Status, [.. "{\"session_id\":\""u8, 0xC3, 0x28, .. "\"}"u8])
            .Error.ShouldNotBeNull()
            .Kind.ShouldBe("not-json");

    private static (SessionObservation? Seen, MessageError? Error) Read(string subject, byte[] body) =>
        SessionMessage.Read(subject, new ReadOnlySequence<byte>(body), Morning);

    private static SessionObservation Read(UpstreamMessage message)
    {
        var (seen, error) = Read(message.Subject, message.Body);
        error.ShouldBeNull();
        return seen.ShouldNotBeNull();
    }

    private static ReportedStatus Status(UpstreamMessage message) =>
        Read(message).ShouldBeOfType<StatusReported>().Status;
}
