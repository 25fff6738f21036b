using System.Globalization;
using System.Text;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>
/// Takes spans by OTLP over HTTP, in protobuf or JSON (docs/reference/datadog.md §5), and computes their metrics for a
/// sender that asks for them.
/// </summary>
internal sealed class TraceIntake(
    ApiKeys keys,
    ArrivalStore<StoredSpan> spans,
    MetricStore metrics,
    DropList drops,
    IntakeLimiter limiter,
    TimeProvider time
)
{
    private const string Json = "application/json";

    public void Map(IEndpointRouteBuilder routes) => routes.MapPost(IntakeRoute.Traces.Path, TakeAsync).AllowAtIntake();

    private async Task TakeAsync(HttpContext context)
    {
        keys.RequireApiKey(context.Request);
        var computesMetrics = bool.TryParse(context.Request.Headers["compute_stats"], out var asked) && asked;
        var now = time.GetUtcNow();
        var rules = new SpanRules(now);
        var mediaType = await limiter.TakeAsync(
            context,
            IntakeRoute.Traces,
            body =>
            {
                var incoming = body.MediaType == Json ? TraceJson.Read(body.Memory) : TraceProtobuf.Read(body.Span);
                StoredSpan[] kept = [.. rules.Apply(incoming)];
                spans.Add(kept);
                drops.Add([.. rules.Dropped]);
                if (computesMetrics)
                {
                    metrics.Apply(TraceMetrics.Of(kept, now));
                }
                return body.MediaType;
            }
        );
        await AnswerAsync(context, mediaType, rules.Rejected);
    }

    private static async Task AnswerAsync(HttpContext context, string mediaType, int rejected)
    {
        const string why = "times must be at most 18 h in the past and 2 h ahead";
        var body =
            mediaType != Json ? Protobuf(rejected, why)
            : rejected == 0 ? "{}"u8.ToArray()
            : Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $$$"""{"partialSuccess":{"rejectedSpans":"{{{rejected}}}","errorMessage":"{{{why}}}"}}"""
                )
            );
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>ExportTraceServiceResponse: partial_success is 1, in it rejected_spans 1 and error_message 2.</summary>
    private static byte[] Protobuf(int rejected, string why)
    {
        if (rejected == 0)
        {
            return [];
        }
        var partial = new List<byte> { 0x08 };
        for (var rest = rejected; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                partial.Add((byte)rest);
                break;
            }
            partial.Add((byte)(rest | 0x80));
        }
        // Both lengths are under 128, one byte each.
        partial.AddRange([0x12, (byte)why.Length, .. Encoding.ASCII.GetBytes(why)]);
        return [0x0A, (byte)partial.Count, .. partial];
    }
}
