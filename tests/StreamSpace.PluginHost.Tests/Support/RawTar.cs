using System.IO.Compression;
using System.Text;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>Gzip tars that no honest writer makes: a header may claim what is not so.</summary>
internal sealed class RawTar
{
    private const int Block = 512;

    private readonly List<byte> _blocks = [];

    /// <summary>Adds a header, and after it what really follows, filled up to whole blocks.</summary>
    public RawTar Add(string name, char type, byte[] size, byte[] content)
    {
        var header = new byte[Block];
        Put(0, name);
        Put(100, "0000644\0");
        size.CopyTo(header, 124);
        header[156] = (byte)type;
        Put(257, "ustar\000");
        header.AsSpan(148, 8).Fill((byte)' ');
        Put(148, Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        _blocks.AddRange(header);
        _blocks.AddRange(content);
        _blocks.AddRange(new byte[(Block - (content.Length % Block)) % Block]);
        return this;

        void Put(int at, string text) => Encoding.ASCII.GetBytes(text).CopyTo(header, at);
    }

    /// <inheritdoc cref="Add(string, char, byte[], byte[])"/>
    public RawTar Add(string name, char type, long size, byte[] content) =>
        Add(name, type, Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0')), content);

    public byte[] Gzip()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest))
        {
            gzip.Write(_blocks.ToArray());
        }
        return bytes.ToArray();
    }
}
