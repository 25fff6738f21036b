using System.Text.Json.Nodes;
using static AgentlessDatadog.Sandbox.Tests.Support.Protobuf;

namespace AgentlessDatadog.Sandbox.Tests.Support;

/// <summary>
/// A span as a test sends it, in either encoding of OTLP, by the field numbers and names of docs/reference/datadog.md §5.2.
/// </summary>
internal sealed record OtlpSpan
{
    public static readonly byte[] ATraceId = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    public byte[] TraceId { get; init; } = ATraceId;
    public byte[] SpanId { get; init; } = [0, 0, 0, 0, 0, 0, 0, 1];
    public byte[] ParentId { get; init; } = [];
    public string Name { get; init; } = "GET /cart";
    public int Kind { get; init; } = 2;

    /// <summary>POSIX seconds.</summary>
    public required double Start { get; init; }

    /// <summary>Seconds.</summary>
    public double Duration { get; init; } = 0.25;
    public (string Key, object Value)[] Attributes { get; init; } = [];
    public string? Error { get; init; }

    private ulong StartNanoseconds => (ulong)(Start * 1e3) * 1_000_000;

    private ulong EndNanoseconds => StartNanoseconds + (ulong)(Duration * 1e9);

    public static byte[] Request(string service, params OtlpSpan[] spans) =>
        RequestOf([("service.name", service), ("host.name", "node-1"), ("deployment.environment.name", "test")], spans);

    public static byte[] RequestOf((string, object)[] resource, params OtlpSpan[] spans) =>
        Message(
            1,
            Join(
                Message(1, Join([.. resource.Select(pair => Message(1, Pair(pair)))])),
                Message(2, Join([.. spans.Select(span => Message(2, span.Encode()))]))
            )
        );

    public static string Json(string service, params OtlpSpan[] spans) =>
        new JsonObject
        {
            ["resourceSpans"] = new JsonArray(
                new JsonObject
                {
                    ["resource"] = new JsonObject
                    {
                        ["attributes"] = JsonPairs([
                            ("service.name", service),
                            ("host.name", "node-1"),
                            ("deployment.environment.name", "test"),
                        ]),
                    },
                    ["scopeSpans"] = new JsonArray(
                        new JsonObject { ["spans"] = new JsonArray([.. spans.Select(span => span.ToJson())]) }
                    ),
                }
            ),
        }.ToJsonString();

    private byte[] Encode() =>
        Join(
            Message(1, TraceId),
            Message(2, SpanId),
            ParentId.Length == 0 ? [] : Message(4, ParentId),
            Text(5, Name),
            Integer(6, Kind),
            Fixed64(7, StartNanoseconds),
            Fixed64(8, EndNanoseconds),
            Join([.. Attributes.Select(pair => Message(9, Pair(pair)))]),
            Error is null ? [] : Message(15, Join(Text(2, Error), Integer(3, 2)))
        );

    private JsonObject ToJson() =>
        new()
        {
            ["traceId"] = Convert.ToHexStringLower(TraceId),
            ["spanId"] = Convert.ToHexStringLower(SpanId),
            ["parentSpanId"] = Convert.ToHexStringLower(ParentId),
            ["name"] = Name,
            ["kind"] = Kind,
            ["startTimeUnixNano"] = $"{StartNanoseconds}",
            ["endTimeUnixNano"] = $"{EndNanoseconds}",
            ["attributes"] = JsonPairs(Attributes),
            ["status"] = Error is null ? null : new JsonObject { ["code"] = 2, ["message"] = Error },
        };

    private static byte[] Pair((string Key, object Value) pair) =>
        Join(
            Text(1, pair.Key),
            Message(
                2,
                pair.Value switch
                {
                    bool flag => Integer(2, flag ? 1 : 0),
                    int number => Integer(3, number),
                    double number => Protobuf.Double(4, number),
                    string[] list => Message(5, Join([.. list.Select(item => Message(1, Text(1, item)))])),
                    var text => Text(1, (string)text),
                }
            )
        );

    private static JsonArray JsonPairs((string Key, object Value)[] pairs) =>
        new([
            .. pairs.Select(pair => new JsonObject
            {
                ["key"] = pair.Key,
                ["value"] = pair.Value switch
                {
                    bool flag => new JsonObject { ["boolValue"] = flag },
                    int number => new JsonObject { ["intValue"] = $"{number}" },
                    double number => new JsonObject { ["doubleValue"] = number },
                    string[] list => new JsonObject
                    {
                        ["arrayValue"] = new JsonObject
                        {
                            ["values"] = new JsonArray([
                                .. list.Select(item => new JsonObject { ["stringValue"] = item }),
                            ]),
                        },
                    },
                    var text => new JsonObject { ["stringValue"] = (string)text },
                },
            }),
        ]);
}
