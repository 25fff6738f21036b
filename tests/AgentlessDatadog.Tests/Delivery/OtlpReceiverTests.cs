using AgentlessDatadog.Tests.Support;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Proto.Collector.Trace.V1;
using OpenTelemetry.Proto.Common.V1;
using Shouldly;
using Xunit;
using Status = OpenTelemetry.Proto.Trace.V1.Status;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>A receiver that was built on OTLP's published messages takes what is sent, over a socket, and reads every field.</summary>
public sealed class OtlpReceiverTests
{
    [Fact]
    public async Task ItReadsEveryFieldOfASpanAndItsAnswerIsRead()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var run = await PipelineRun.OverSocketsAsync(
            new()
            {
                IntakeUrl = new Uri("http://127.0.0.1:9"),
                TracesEndpoint = receiver.Address,
                Tags = ["service:desk", "env:test", "version:7"],
                Host = "node-1",
            }
        );
        var start = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        var first = new Span(new UInt128(1, 2), 3, "session.start", start, TimeSpan.FromSeconds(2.5))
        {
            ParentId = 4,
            Resource = "xfce",
            Type = "worker",
            Kind = SpanKind.Consumer,
            Service = "desk-sessions",
            Attributes =
            [
                new("text", "漢字 🎉"),
                new("yes", true),
                new("whole", long.MinValue),
                new("real", -0.5),
                .. Enumerable.Range(0, 1_000).Select(i => new KeyValuePair<string, object?>($"more{i}", i)),
            ],
            Links = [new SpanLink(new UInt128(5, 6), 7)],
            Error = new ErrorDetails("image_pull", "not there") { Stack = "at A" },
        };
        await run.KeepAsync(first, Some.Span(start));
        await run.Pipeline.FlushAsync();
        await run.Until(() => run.Ledger(Lane.Traces) is { Queued: 0, Rejected: 1, Delivered: 1 });
        run.Ledger(Lane.Traces).Reasons.Keys.ShouldBe(["200 OK: one was too many"]);

        var resource = receiver.Taken.ShouldHaveSingleItem().ResourceSpans.ShouldHaveSingleItem();
        var said = resource.Resource.Attributes.ToDictionary(a => a.Key, a => a.Value.StringValue);
        (said["service.name"], said["service.version"], said["host.name"]).ShouldBe(("desk", "7", "node-1"));
        said["deployment.environment.name"].ShouldBe("test");
        var scope = resource.ScopeSpans.ShouldHaveSingleItem();
        scope.Scope.Name.ShouldBe("agentless-datadog");
        var span = scope.Spans[0];
        Hex(span.TraceId).ShouldBe("00000000000000010000000000000002");
        (Hex(span.SpanId), Hex(span.ParentSpanId)).ShouldBe(("0000000000000003", "0000000000000004"));
        (span.Name, span.Kind).ShouldBe(("session.start", OtlpSpan.Types.SpanKind.Consumer));
        (span.EndTimeUnixNano - span.StartTimeUnixNano).ShouldBe(2_500_000_000UL);
        span.StartTimeUnixNano.ShouldBe((ulong)(start - DateTimeOffset.UnixEpoch).Ticks * 100);
        var link = span.Links.ShouldHaveSingleItem();
        (Hex(link.TraceId), Hex(link.SpanId)).ShouldBe(("00000000000000050000000000000006", "0000000000000007"));
        (span.Status.Code, span.Status.Message).ShouldBe((Status.Types.StatusCode.Error, "not there"));
        span.DroppedAttributesCount.ShouldBe(4u);
        var attributes = span.Attributes.ToDictionary(a => a.Key, a => a.Value);
        attributes["operation.name"].StringValue.ShouldBe("session.start");
        attributes["resource.name"].StringValue.ShouldBe("xfce");
        attributes["span.type"].StringValue.ShouldBe("worker");
        attributes["service.name"].StringValue.ShouldBe("desk-sessions");
        attributes["text"].StringValue.ShouldBe("漢字 🎉");
        attributes["yes"].ShouldBe(new AnyValue { BoolValue = true });
        attributes["whole"].ShouldBe(new AnyValue { IntValue = long.MinValue });
        attributes["real"].ShouldBe(new AnyValue { DoubleValue = -0.5 });
        attributes["error.type"].StringValue.ShouldBe("image_pull");
        attributes["error.stack"].StringValue.ShouldBe("at A");
    }

    private static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    /// <summary>Rejects one span of each request, in protobuf.</summary>
    private sealed class Receiver(WebApplication app, List<ExportTraceServiceRequest> taken) : IAsyncDisposable
    {
        public Uri Address { get; } = new(app.Urls.Single());

        public IReadOnlyList<ExportTraceServiceRequest> Taken
        {
            get
            {
                lock (taken)
                {
                    return [.. taken];
                }
            }
        }

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            List<ExportTraceServiceRequest> taken = [];
            app.MapPost(
                "/v1/traces",
                async (HttpRequest request) =>
                {
                    using var body = new MemoryStream();
                    await request.Body.CopyToAsync(body);
                    var raw = PayloadCheck.Unpack(request.Headers.ContentEncoding, body.ToArray());
                    lock (taken)
                    {
                        taken.Add(ExportTraceServiceRequest.Parser.ParseFrom(raw));
                    }
                    var answer = new ExportTraceServiceResponse
                    {
                        PartialSuccess = new() { RejectedSpans = 1, ErrorMessage = "one was too many" },
                    };
                    return Results.Bytes(answer.ToByteArray(), "application/x-protobuf");
                }
            );
            await app.StartAsync();
            return new Receiver(app, taken);
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
