namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>What is remembered of one API request. Never a key, a query string or a header.</summary>
internal sealed class RequestRecord(DateTimeOffset time, string method, string path, string encoding, bool keepsPayload)
{
    public DateTimeOffset Time => time;

    public string Method => method;

    public string Path => path;

    /// <summary>As the client named it, cut at 20 characters; empty for none.</summary>
    public string Encoding => encoding;

    /// <summary>Body bytes as they came.</summary>
    public int WireBytes { get; set; }

    /// <summary>Body bytes after decompression.</summary>
    public int RawBytes { get; private set; }

    /// <summary>The status answered, or 0 where a fault cut the connection.</summary>
    public int Status { get; set; }

    public string? MediaType { get; private set; }

    /// <summary>The decompressed body, when payloads are kept.</summary>
    public byte[]? Payload { get; private set; }

    public void Took(IncomingBody body)
    {
        MediaType = body.MediaType;
        RawBytes = body.Length;
        Payload = keepsPayload ? body.Span.ToArray() : null;
    }
}
