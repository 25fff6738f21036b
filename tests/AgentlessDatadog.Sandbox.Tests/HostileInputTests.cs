using System.Globalization;
using System.Net;
using System.Text;
using static AgentlessDatadog.Sandbox.Tests.Support.Protobuf;

namespace AgentlessDatadog.Sandbox.Tests;

// Some count what the whole process allocates.
[Collection(nameof(CostTests))]
public sealed class HostileInputTests
{
    private const string Protobuf = "application/x-protobuf";

    [Fact]
    public async Task AProtobufBodyThatEndsAnywhereIsTakenOrRefusedAndNothingElse()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Whole(sandbox);
        for (var length = 1; length < body.Length; length++)
        {
            var reply = await sandbox.PostSpansAsync(body[..length]);

            reply.Status.ShouldBe(HttpStatusCode.BadRequest, $"{length} of {body.Length} bytes: {reply.Text}");
        }
        (await sandbox.SearchAsync("spans", "*")).ShouldBeEmpty();
        (await sandbox.PostSpansAsync(body)).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Theory]
    [InlineData("/v1/traces", Protobuf)]
    [InlineData("/v1/traces", "application/json")]
    [InlineData("/api/v2/logs", "application/json")]
    public async Task ABodyWithAnyBytesChangedIsTakenOrRefusedAndNothingElse(string path, string mediaType)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var whole = path switch
        {
            "/api/v2/logs" => Encoding.UTF8.GetBytes(
                """[{"message":"é","ddtags":"a:b","timestamp":"2026-03-01T11:59:00Z","x":{"y":[1,"z"]},"dd.trace_id":"1"}]"""
            ),
            _ when mediaType == Protobuf => Whole(sandbox),
            _ => Encoding.UTF8.GetBytes(OtlpSpan.Json("shop", Spans(sandbox))),
        };
        // The same bytes in every run.
        var random = new Random(17);
        for (var i = 0; i < 400; i++)
        {
            var body = whole.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            var reply = await sandbox.PostAsync(path, body, mediaType);

            reply.Status.ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.Accepted);
        }
        // Whatever was taken can be read.
        await sandbox.SearchAsync("spans", "@x:*");
        await sandbox.SearchAsync("logs", "@x.y:*");
        (await sandbox.GetAsync("/sandbox/dropped")).Status.ShouldBe(HttpStatusCode.OK);
    }

    public static TheoryData<string, byte[], string> Bodies =>
        new()
        {
            { "a length beyond the end", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "middle of a field" },
            { "a number without an end", [.. Enumerable.Repeat((byte)0xFF, 20)], "ten bytes" },
            { "a field of number 0", [0x02, 0x00], "number 0" },
            { "a group", [0x0B, 0x0C], "not in use" },
            { "a name that is not UTF-8", OfSpan(Message(5, [0xC3, 0x28])), "not UTF-8" },
            { "a kind that is none", OfSpan(Integer(6, 77)), "77 is not a kind" },
            {
                "a value nested without end",
                OfSpan(Message(9, Join(Text(1, "a"), Message(2, Nested(200))))),
                "32 deep"
            },
            { "text", "[]{}"u8.ToArray(), "Unable to parse" },
        };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task WhatIsNoOtlpIsRefusedWithTheReason(string what, byte[] body, string reason)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostSpansAsync(body);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest, what);
        reply.Error.ShouldContain(reason);
    }

    [Fact]
    public async Task MillionsOfEmptyThingsAreCountedBeforeAnythingIsMadeOfThem()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        // Two bytes each: an empty attribute of one span, an empty event, an empty item of a list.
        foreach (
            var thing in new[]
            {
                OfSpan(Empty(9)),
                OfSpan(Empty(11)),
                OfSpan(Message(9, Message(2, Message(5, Empty(1))))),
            }
        )
        {
            var body = Encodings.Encode("zstd", thing);
            var before = GC.GetTotalAllocatedBytes();

            var reply = await sandbox.PostSpansAsync(body, encoding: "zstd");

            reply.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
            reply.Error.ShouldContain("1000000");
            (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(200L << 20);
        }
    }

    [Fact]
    public async Task AValueThatIsSaidMillionsOfTimesIsReadAsItWasSaidLast()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        // A list and a map, two bytes each time.
        foreach (
            var thing in new[] { OfSpan(Message(9, Message(2, Empty(5)))), OfSpan(Message(9, Message(2, Empty(6)))) }
        )
        {
            var body = Encodings.Encode("zstd", thing);
            var before = GC.GetTotalAllocatedBytes();

            var reply = await sandbox.PostSpansAsync(body, encoding: "zstd");

            // Of the span nothing else is said.
            reply.Status.ShouldBe(HttpStatusCode.BadRequest);
            reply.Error.ShouldContain("a span must have a name");
            (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(200L << 20);
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task ABombIsNotUnpackedBeyondTheLimit(string encoding)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var bomb = Encodings.Encode(encoding, new byte[1 << 27]);
        foreach (var (path, mediaType) in new[] { ("/v1/traces", Protobuf), ("/api/v2/logs", "application/json") })
        {
            var before = GC.GetTotalAllocatedBytes();

            (await sandbox.PostAsync(path, bomb, mediaType, encoding)).Status.ShouldBe(
                HttpStatusCode.RequestEntityTooLarge
            );

            (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(100L << 20);
        }
    }

    [Fact]
    public async Task JsonThatNestsWithoutEndOrHasPartsWithoutNumberIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var deep = $$"""{"message":"m","a":{{new string('[', 100)}}{{new string(']', 100)}}}""";
        var many = $$"""{"resourceSpans":[{{string.Concat(Enumerable.Repeat("{},", 2_500_000))}}{}]}""";

        (await sandbox.PostAsync("/api/v2/logs", deep)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await sandbox.PostAsync("/v1/traces", many)).Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task AsManySpansAsABodyHoldsAreTakenAndStayWithinTheBound()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var one = new OtlpSpan { Start = sandbox.Now, Name = "a" };
        var body = OtlpSpan.Request("s", [.. Enumerable.Repeat(one, 210_000)]);
        body.Length.ShouldBeLessThan(15 << 20);

        (await sandbox.PostSpansAsync(body)).Status.ShouldBe(HttpStatusCode.Accepted);

        var held = (await sandbox.GetAsync("/sandbox/overview")).Json.GetProperty("span_count").GetInt32();
        held.ToString(CultureInfo.InvariantCulture).ShouldBe("200000");
        (await sandbox.ValuesAsync("sum:trace.a.hits{*}"))[""].Sum().ShouldBe(210_000);
    }

    private static OtlpSpan Spans(TestSandbox sandbox) =>
        new()
        {
            Start = sandbox.Now,
            ParentId = [1, 2, 3, 4, 5, 6, 7, 8],
            Error = "é",
            Attributes = [("a", "text"), ("b", 5), ("c", 1.5), ("d", true), ("e", new[] { "x", "y" })],
        };

    private static byte[] Whole(TestSandbox sandbox) => OtlpSpan.Request("shop", Spans(sandbox));

    private static byte[] OfSpan(byte[] fields) =>
        Message(
            1,
            Message(2, Message(2, Join(Message(1, OtlpSpan.ATraceId), Message(2, [0, 0, 0, 0, 0, 0, 0, 1]), fields)))
        );

    private static byte[] Empty(int field)
    {
        var many = new byte[4_000_000];
        for (var i = 0; i < many.Length; i += 2)
        {
            many[i] = (byte)((field << 3) | 2);
        }
        return many;
    }

    private static byte[] Nested(int levels)
    {
        var value = Text(1, "x");
        for (var i = 0; i < levels; i++)
        {
            value = Message(5, Message(1, value));
        }
        return value;
    }
}
