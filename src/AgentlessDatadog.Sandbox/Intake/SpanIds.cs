using System.Buffers.Binary;
using System.Globalization;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Trace and span ids as OTLP and Datadog write them (docs/reference/datadog.md §5.2).</summary>
internal static class SpanIds
{
    private const int TraceBytes = 16;
    private const int SpanBytes = 8;

    /// <exception cref="ApiError">400: not 16 bytes, or all zero.</exception>
    public static UInt128 Trace(ReadOnlySpan<byte> id, string path) =>
        id.Length == TraceBytes && BinaryPrimitives.ReadUInt128BigEndian(id) is var value && value != 0
            ? value
            : throw WrongTrace(path);

    /// <exception cref="ApiError">400: not 8 bytes, or all zero.</exception>
    public static ulong Span(ReadOnlySpan<byte> id, string path) =>
        id.Length == SpanBytes && BinaryPrimitives.ReadUInt64BigEndian(id) is var value && value != 0
            ? value
            : throw WrongSpan(path);

    /// <returns>0 for a root, which sends no bytes.</returns>
    /// <exception cref="ApiError">400: neither nothing nor 8 bytes that are not all zero.</exception>
    public static ulong Parent(ReadOnlySpan<byte> id, string path) => id.IsEmpty ? 0 : Span(id, path);

    /// <summary>As JSON has it: 32 hexadecimal digits, not base64.</summary>
    /// <exception cref="ApiError">400: something else, or all zero.</exception>
    public static UInt128 TraceOfHex(string id, string path) =>
        Hex(id, TraceBytes) is { } bytes ? Trace(bytes, path) : throw WrongTrace(path);

    /// <exception cref="ApiError">400: not 16 hexadecimal digits, or all zero.</exception>
    public static ulong SpanOfHex(string id, string path) =>
        Hex(id, SpanBytes) is { } bytes ? Span(bytes, path) : throw WrongSpan(path);

    /// <returns>0 for a root, which sends no digits.</returns>
    /// <exception cref="ApiError">400: neither nothing nor 16 hexadecimal digits that are not all zero.</exception>
    public static ulong ParentOfHex(string id, string path) => id.Length == 0 ? 0 : SpanOfHex(id, path);

    /// <summary>Decimal where the upper half is zero, as Datadog's own tracers have it; else 32 hexadecimal digits.</summary>
    public static string Text(UInt128 traceId) =>
        traceId <= ulong.MaxValue
            ? traceId.ToString(CultureInfo.InvariantCulture)
            : traceId.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The two ways in which a search may name a trace: the lower half in decimal, and 32 hexadecimal digits.</summary>
    public static string[] Spellings(UInt128 traceId) =>
        [
            ((ulong)traceId).ToString(CultureInfo.InvariantCulture),
            traceId.ToString("x32", CultureInfo.InvariantCulture),
        ];

    /// <summary>The same of an id as a log has it, in either way; anything else stands for itself.</summary>
    public static string[] Spellings(string text) =>
        Hex(text, TraceBytes) is { } bytes ? Spellings(BinaryPrimitives.ReadUInt128BigEndian(bytes))
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var lower) ? Spellings(lower)
        : [text];

    private static byte[]? Hex(string id, int length) =>
        id.Length == 2 * length && id.All(char.IsAsciiHexDigit) ? Convert.FromHexString(id) : null;

    private static ApiError WrongTrace(string path) =>
        ApiError.BadRequest($"{path}: a trace id is 16 bytes (32 hexadecimal digits in JSON), not all of them zero");

    private static ApiError WrongSpan(string path) =>
        ApiError.BadRequest($"{path}: a span id is 8 bytes (16 hexadecimal digits in JSON), not all of them zero");
}
