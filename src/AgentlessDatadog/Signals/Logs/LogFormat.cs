using System.Text;
using System.Text.Json;

namespace AgentlessDatadog.Signals.Logs;

/// <summary>The body of <c>/api/v2/logs</c>: a list of entries.</summary>
internal sealed class LogFormat : RequestFormat
{
    public override int Overhead => 2;

    public override int OverheadOfEach => 1;

    public override byte[] Join(IReadOnlyList<EncodedSignal> signals)
    {
        var body = new byte[Overhead + signals.Sum(signal => signal.Bytes.Length + OverheadOfEach) - 1];
        var at = 0;
        foreach (var signal in signals)
        {
            body[at++] = (byte)(at == 1 ? '[' : ',');
            signal.Bytes.Span.CopyTo(body.AsSpan(at));
            at += signal.Bytes.Length;
        }
        body[at] = (byte)']';
        return body;
    }

    /// <summary>Parts a body in two, with the entries in each; null: it holds one at most.</summary>
    public static IReadOnlyList<(byte[] Raw, long Units)>? Halve(ReadOnlyMemory<byte> raw)
    {
        using var json = JsonDocument.Parse(raw);
        var entries = json.RootElement.EnumerateArray().Select(entry => entry.GetRawText()).ToList();
        if (entries.Count < 2)
        {
            return null;
        }

        var middle = entries.Count / 2;
        return [Part(entries[..middle]), Part(entries[middle..])];
    }

    private static (byte[] Raw, long Units) Part(List<string> entries) =>
        (Encoding.UTF8.GetBytes($"[{string.Join(',', entries)}]"), entries.Count);
}
