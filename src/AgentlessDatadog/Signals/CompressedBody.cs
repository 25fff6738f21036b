using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog.Signals;

/// <summary>A compressed request body that grows in one reused buffer and knows how large it may become.</summary>
internal abstract class CompressedBody : IDisposable
{
    /// <summary>Value of the Content-Encoding header.</summary>
    public abstract string Encoding { get; }

    /// <summary>Most bytes that the body has when that many more are written and it is finished.</summary>
    public abstract long Bound(int more);

    /// <summary>Compresses bytes; some of them may stay inside.</summary>
    public abstract void Write(ReadOnlySpan<byte> raw);

    /// <summary>Brings out what is inside, so that the bound becomes exact.</summary>
    public abstract void Flush();

    /// <summary>Ends the body, returns a copy of it, and begins the next.</summary>
    public abstract byte[] Finish();

    /// <summary>Gives back what the compressor holds.</summary>
    public abstract void Dispose();

    public static CompressedBody For(Compression compression, int limit) =>
        compression == Compression.Zstd ? new ZstdBody(limit) : new ZlibBody(limit);
}
