using System.Buffers.Binary;
using AgentlessDatadog.Tests.Support;
using FsCheck.Xunit;
using OpenTelemetry.Proto.Common.V1;
using OpenTelemetry.Proto.Trace.V1;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals.Traces;

/// <summary>What the library writes by hand, read back by code that was generated from OTLP's messages.</summary>
public sealed class SpanEncoderTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private static readonly TelemetryOptions Options = new()
    {
        Tags = ["service:desk", "env:test", "version:7", "cluster:a", "team:x", "team:y"],
        Host = "node-1",
    };

    [Property(MaxTest = 40)]
    public void AnotherReaderReadsEverySpanAsItWas(int seed)
    {
        var random = new Random(seed);
        var spans = Enumerable.Range(0, random.Next(1, 40)).Select(i => RandomSpan(random, (ulong)i + 1)).ToList();
        var raw = Join(spans);
        var read = Spans(raw).ToList();
        read.Count.ShouldBe(spans.Count);
        foreach (var (span, otlp) in spans.Zip(read))
        {
            ShouldBeRead(span, otlp);
        }

        Check(raw).ShouldBeEmpty();
    }

    [Fact]
    public void TheResourceSaysWhereTheSpansComeFrom()
    {
        var request = SpanCheck.Read(Join([Span]));
        var attributes = request.ResourceSpans.ShouldHaveSingleItem().Resource.Attributes;
        attributes
            .ToDictionary(a => a.Key, a => a.Value.StringValue)
            .ShouldBe(
                new Dictionary<string, string>
                {
                    ["service.name"] = "desk",
                    ["service.version"] = "7",
                    ["deployment.environment.name"] = "test",
                    ["host.name"] = "node-1",
                    ["telemetry.sdk.name"] = "agentless-datadog",
                    ["telemetry.sdk.language"] = "dotnet",
                    ["cluster"] = "a",
                    ["team"] = "x,y",
                },
                ignoreOrder: true
            );
    }

    [Fact]
    public void OperationResourceTypeAndServiceAreWrittenAndNobodyCanTakeTheirNames()
    {
        var span = Read(
            Span with
            {
                Resource = "xfce",
                Service = "desk-sessions",
                Type = "worker",
                Attributes = [new("resource.name", "mine"), new("user", "ann")],
            }
        );
        var attributes = span.Attributes.ToDictionary(a => a.Key, a => a.Value.StringValue);
        attributes["operation.name"].ShouldBe("session.start");
        attributes["resource.name"].ShouldBe("xfce");
        attributes["span.type"].ShouldBe("worker");
        attributes["service.name"].ShouldBe("desk-sessions");
        attributes["attributes.resource.name"].ShouldBe("mine");
        attributes["user"].ShouldBe("ann");
    }

    [Fact]
    public void AnErrorIsOneWithItsTypeMessageAndStack()
    {
        var error = new ErrorDetails("image_pull", $"{"@all <b>"} was not there") { Stack = "at A\n  at B" };
        var span = Read(Span with { Error = error });
        span.Status.Code.ShouldBe(Status.Types.StatusCode.Error);
        span.Status.Message.ShouldBe("＠all ＜b＞ was not there");
        var attributes = span.Attributes.ToDictionary(a => a.Key, a => a.Value.StringValue);
        attributes["error.type"].ShouldBe("image_pull");
        attributes["error.message"].ShouldBe("＠all ＜b＞ was not there");
        attributes["error.stack"].ShouldBe("at A\n  at B");
    }

    [Fact]
    public void ATextIsCutWithAMarkAndTooManyAttributesAreCounted()
    {
        var attributes = Enumerable
            .Range(0, 2_000)
            .Select(i => new KeyValuePair<string, object?>($"a{i}", i))
            .Prepend(new("long", new string('x', 30_000)))
            .Prepend(new(new string('k', 300), 1));
        var span = Read(Span with { Attributes = [.. attributes] });
        span.Attributes.Single(a => a.Key == "long")
            .Value.StringValue.ShouldEndWith("xx… [cut off, it had 30000 characters]");
        span.Attributes.ShouldContain(a => a.Key == new string('k', 200));
        span.DroppedAttributesCount.ShouldBe(1_002u);
        Check(Join([Span with { Attributes = [.. attributes] }])).ShouldBeEmpty();
    }

    [Fact]
    public void NoSpanIsLargerThanAMegabyteOrSo()
    {
        var attributes = Enumerable
            .Range(0, 1_000)
            .Select(i => new KeyValuePair<string, object?>($"a{i}", new string('\u6f22', 25_000)));
        var span = Span with { Attributes = [.. attributes], Resource = new string('r', 10_000) };
        Join([span]).Length.ShouldBeLessThan(2_000_000);
        Read(span).DroppedAttributesCount.ShouldBe(981u);
    }

    [Fact]
    public void ATextThatIsNotUnicodeIsReadAllTheSame()
    {
        var span = Read(Span with { Resource = "a\ud800b", Attributes = [new("x\udfff", "\ud83dz")] });
        span.Attributes.Single(a => a.Key == "resource.name").Value.StringValue.ShouldBe("a\ufffdb");
        span.Attributes.Single(a => a.Key == "x\ufffd").Value.StringValue.ShouldBe("\ufffdz");
    }

    [Fact]
    public void WhatIsNoPlainValueIsItsText()
    {
        var span = Read(
            Span with
            {
                Attributes =
                [
                    new("nan", double.NaN),
                    new("uri", new Uri("http://x/")),
                    new("null", null),
                    new("time", TimeSpan.FromSeconds(1)),
                    new(" ", 1),
                ],
            }
        );
        var attributes = span.Attributes.ToDictionary(a => a.Key, a => a.Value.StringValue);
        attributes["nan"].ShouldBe("NaN");
        attributes["uri"].ShouldBe("http://x/");
        attributes["time"].ShouldBe("00:00:01");
        attributes.Keys.ShouldNotContain("null");
        attributes.Keys.ShouldNotContain(" ");
    }

    [Property(MaxTest = 20)]
    public void ABodyIsPartedWithoutLosingASpanUntilEachStandsAlone(int seed)
    {
        var random = new Random(seed);
        var spans = Enumerable.Range(0, random.Next(1, 30)).Select(i => RandomSpan(random, (ulong)i + 1)).ToList();
        var left = new Queue<byte[]>([Join(spans)]);
        var alone = new List<OtlpSpan>();
        while (left.TryDequeue(out var raw))
        {
            if (TraceFormat.Halve(raw) is not { } parts)
            {
                alone.Add(Spans(raw).ShouldHaveSingleItem());
                continue;
            }
            parts.Sum(part => part.Units).ShouldBe(Spans(raw).Count());
            foreach (var part in parts)
            {
                SpanCheck
                    .Read(part.Raw)
                    .ResourceSpans[0]
                    .Resource.ShouldBe(SpanCheck.Read(raw).ResourceSpans[0].Resource);
                left.Enqueue(part.Raw);
            }
        }
        alone
            .Select(s => s.SpanId)
            .Order(Comparer<Google.Protobuf.ByteString>.Create(Compare))
            .ShouldBe(Spans(Join(spans)).Select(s => s.SpanId));
    }

    private static Span Span => new(1, 2, "session.start", Now, TimeSpan.FromSeconds(3));

    private static int Compare(Google.Protobuf.ByteString one, Google.Protobuf.ByteString other) =>
        one.Span.SequenceCompareTo(other.Span);

    private static void ShouldBeRead(Span span, OtlpSpan otlp)
    {
        BinaryPrimitives.ReadUInt128BigEndian(otlp.TraceId.Span).ShouldBe(span.TraceId);
        BinaryPrimitives.ReadUInt64BigEndian(otlp.SpanId.Span).ShouldBe(span.SpanId);
        var parent = otlp.ParentSpanId.Length == 0 ? 0 : BinaryPrimitives.ReadUInt64BigEndian(otlp.ParentSpanId.Span);
        parent.ShouldBe(span.ParentId);
        otlp.Name.ShouldBe(span.Name.ToString());
        ((int)otlp.Kind).ShouldBe((int)span.Kind);
        otlp.StartTimeUnixNano.ShouldBe((ulong)(span.Start - DateTimeOffset.UnixEpoch).Ticks * 100);
        (otlp.EndTimeUnixNano - otlp.StartTimeUnixNano).ShouldBe((ulong)span.Duration.Ticks * 100);
        otlp.Links.Select(l => BinaryPrimitives.ReadUInt64BigEndian(l.SpanId.Span))
            .ShouldBe(span.Links.Select(l => l.SpanId));
        var read = otlp.Attributes.ToDictionary(a => a.Key, a => a.Value);
        foreach (var (key, value) in span.Attributes)
        {
            object? was = read[key].ValueCase switch
            {
                AnyValue.ValueOneofCase.BoolValue => read[key].BoolValue,
                AnyValue.ValueOneofCase.IntValue => read[key].IntValue,
                AnyValue.ValueOneofCase.DoubleValue => read[key].DoubleValue,
                _ => read[key].StringValue,
            };
            was.ShouldBe(value);
        }
        read.Count.ShouldBe(span.Attributes.Count + 3);
    }

    private static Span RandomSpan(Random random, ulong id)
    {
        object?[] values =
        [
            random.NextInt64() - long.MaxValue / 2,
            random.NextDouble() * 1e9,
            random.Next(2) == 0,
            Text(random),
        ];
        return new Span(
            new UInt128((ulong)random.Next(2), (ulong)random.NextInt64(1, long.MaxValue)),
            id,
            $"op {random.Next()}",
            Now.AddTicks(-random.NextInt64(TimeSpan.TicksPerHour * 17)),
            TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerHour))
        )
        {
            ParentId = random.Next(2) == 0 ? 0 : id + 1000,
            Kind = (SpanKind)random.Next(1, 6),
            Attributes =
            [
                .. Enumerable
                    .Range(0, random.Next(30))
                    .Select(i => new KeyValuePair<string, object?>($"key.{i}", values[random.Next(values.Length)])),
            ],
            Links = [.. Enumerable.Range(0, random.Next(4)).Select(i => new SpanLink(1, (ulong)i + 1))],
        };
    }

    private static string Text(Random random) => new('é', random.Next(300));

    private static byte[] Join(IEnumerable<Span> spans)
    {
        var encoder = new SpanEncoder(Options);
        return new TraceFormat(Options).Join([.. spans.Select(encoder.Encode)]);
    }

    private static IEnumerable<OtlpSpan> Spans(byte[] raw) =>
        SpanCheck.Read(raw).ResourceSpans.ShouldHaveSingleItem().ScopeSpans.ShouldHaveSingleItem().Spans;

    private static OtlpSpan Read(Span span) => Spans(Join([span])).ShouldHaveSingleItem();

    private static IReadOnlyList<string> Check(byte[] raw)
    {
        var check = new PayloadCheck();
        check.Look("/v1/traces", null, raw, Now);
        return check.Errors;
    }
}
