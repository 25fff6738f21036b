using System.Text;
using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using FsCheck.Xunit;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals.Logs;

public sealed class LogEncoderTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private static readonly TelemetryOptions Options = new()
    {
        Tags = ["service:desk", "env:test"],
        Host = "node-1",
        ApiKey = Secret.ApiKey,
    };

    [Fact]
    public void AnEntryHasDatadogsFields()
    {
        var entry = new LogEntry($"user {"@ann"} came", Now.AddMilliseconds(7))
        {
            Level = LogLevel.Warning,
            Logger = "Desk.Sessions",
            Tags = ["Cluster:A b"],
            Attributes = [new("user", "@ann"), new("count", 3), new("share", 0.5), new("is", true), new("none", null)],
            Error = new ErrorDetails("System.TimeoutException", "too late") { Stack = "at A\nat B" },
            TraceId = 11,
            SpanId = 12,
        };
        Read(entry)
            .GetRawText()
            .ShouldBe(
                """
                {"timestamp":1800000000007,"status":"warn","ddsource":"csharp","service":"desk","hostname":"node-1","ddtags":"cluster:a_b,env:test,service:desk","logger.name":"Desk.Sessions","dd.trace_id":"11","dd.span_id":"12","error.kind":"System.TimeoutException","error.message":"too late","error.stack":"at A\nat B","user":"@ann","count":3,"share":0.5,"is":true,"message":"user ＠ann came"}
                """
            );
    }

    [Theory]
    [InlineData(LogLevel.Trace, "debug")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Information, "info")]
    [InlineData(LogLevel.Warning, "warn")]
    [InlineData(LogLevel.Error, "error")]
    [InlineData(LogLevel.Critical, "critical")]
    [InlineData(LogLevel.None, "info")]
    public void ALevelIsAStatus(LogLevel level, string status) =>
        Read(new LogEntry("x", Now) { Level = level }).GetProperty("status").GetString().ShouldBe(status);

    [Fact]
    public void ATraceOf128BitsIsHexadecimal() =>
        Read(new LogEntry("x", Now) { TraceId = new UInt128(1, 2), SpanId = 3 })
            .GetProperty("dd.trace_id")
            .GetString()
            .ShouldBe("00000000000000010000000000000002");

    [Fact]
    public void AnAttributeCannotTakeAFieldOfDatadogs()
    {
        var read = Read(new LogEntry("x", Now) { Attributes = [new("status", "mine"), new("ddtags", "a:b")] });
        read.GetProperty("status").GetString().ShouldBe("info");
        read.GetProperty("attributes.status").GetString().ShouldBe("mine");
        read.GetProperty("attributes.ddtags").GetString().ShouldBe("a:b");
    }

    [Fact]
    public void WithoutAMessageAnErrorSpeaks() =>
        Read(new LogEntry("", Now) { Error = new ErrorDetails("E", "broken") })
            .GetProperty("message")
            .GetString()
            .ShouldBe("broken");

    [Fact]
    public void SecretsLeaveNeitherInMessagesNorInAttributesNorInErrors()
    {
        var text = Read(
                new LogEntry($"sent with {Secret.ApiKey}", Now)
                {
                    Attributes =
                    [
                        new("password", "hunter2"),
                        new("url", "http://a:hunter2@b/"),
                        new("pin_secret", 12345),
                    ],
                    Error = new ErrorDetails("E", $"password=hunter2") { Stack = "at X(token=hunter2)" },
                }
            )
            .GetRawText();
        text.ShouldNotContain(Secret.ApiKey);
        text.ShouldNotContain("hunter2");
        text.ShouldNotContain("12345");
    }

    [Theory]
    [InlineData('x')]
    [InlineData('\u6f22')]
    [InlineData('"')]
    [InlineData('\u0001')]
    [InlineData('\ud83d')]
    public void AnEntryOfThreeMegabytesIsCutToOneWithAMark(char character)
    {
        var literal = new EventText(0, 0);
        literal.AppendLiteral(new string(character, 3_000_000));
        var entry = new LogEntry(literal, Now)
        {
            Tags = [.. Enumerable.Range(0, 100).Select(i => $"tag{i}:".PadRight(200, 'x'))],
            Attributes =
            [
                .. Enumerable
                    .Range(0, 500)
                    .Select(i => new KeyValuePair<string, object?>($"a{i}", new string('\u0001', 300))),
            ],
            Error = new ErrorDetails("E", new string('\u0001', 10)) { Stack = new string('\u0001', 300_000) },
        };
        var signal = Encode(entry);
        signal.Bytes.Length.ShouldBeLessThanOrEqualTo(1_000_000);
        using var json = JsonDocument.Parse(signal.Bytes);
        json.RootElement.GetProperty("message").GetString()!.ShouldEndWith("… [cut off, it had 3000000 characters]");
        json.RootElement.GetProperty("attributes.dropped").GetInt32().ShouldBe(250);
        Check(signal).ShouldBeEmpty();
    }

    [Fact]
    public void AMessageOfAlmostAMegabyteIsKeptWhole()
    {
        var message = new string('x', 990_000);
        Read(new LogEntry(message, Now)).GetProperty("message").GetString().ShouldBe(message);
    }

    [Fact]
    public void ATextThatIsNotUnicodeIsSentAllTheSame()
    {
        var literal = new EventText(0, 0);
        literal.AppendLiteral("a\ud800b");
        var read = Read(new LogEntry(literal, Now) { Attributes = [new("k\udc00", "\ud83dz")], Logger = "\ud800" });
        read.GetProperty("message").GetString().ShouldBe("a\ufffdb");
        read.GetProperty("k\ufffd").GetString().ShouldBe("\ufffdz");
    }

    [Property(MaxTest = 30)]
    public void EntriesAreJoinedAndPartedWithoutLosingOne(int seed)
    {
        var random = new Random(seed);
        var signals = Enumerable
            .Range(0, random.Next(1, 20))
            .Select(i => Encode(new LogEntry($"entry {i} \"{random.Next()}\"", Now)))
            .ToList();
        var raw = new LogFormat().Join(signals);
        Check(raw).ShouldBeEmpty();
        var left = new Stack<byte[]>([raw]);
        var alone = new List<string>();
        while (left.TryPop(out var next))
        {
            if (LogFormat.Halve(next) is not { } parts)
            {
                alone.Add(Encoding.UTF8.GetString(next)[1..^1]);
                continue;
            }
            foreach (var part in parts.Reverse())
            {
                left.Push(part.Raw);
            }
        }
        alone.ShouldBe(signals.Select(signal => Encoding.UTF8.GetString(signal.Bytes.Span)));
    }

    [Theory]
    [InlineData("x", 0, null)]
    [InlineData(" ", 0, "message is empty")]
    [InlineData("x", -18 * 3600, null)]
    [InlineData("x", -18 * 3600 - 1, "it was written more than 18 h ago")]
    public void WhatCanNeverBeSentIsToldWhy(string message, int second, string? fault) =>
        LogRules.Error(new LogEntry(message, Now.AddSeconds(second)), Now).ShouldBe(fault);

    private static EncodedSignal Encode(LogEntry entry) => new LogEncoder(Options).Encode(entry);

    private static JsonElement Read(LogEntry entry)
    {
        var signal = Encode(entry);
        Check(signal).ShouldBeEmpty();
        return JsonDocument.Parse(signal.Bytes).RootElement;
    }

    private static IReadOnlyList<string> Check(EncodedSignal signal) => Check(new LogFormat().Join([signal]));

    private static IReadOnlyList<string> Check(byte[] raw)
    {
        var check = new PayloadCheck();
        check.Look("/api/v2/logs", null, raw, Now.AddSeconds(1));
        return check.Errors;
    }
}
