using System.Formats.Tar;

namespace StreamSpace.PluginHost.Packages;

/// <summary>
/// Stands between an unpacked stream and the reader of its tar. The reader makes room for as much as a header claims, so
/// each header is looked at here before it gets there: nothing but files, folders and short names passes, and no more
/// bytes than allowed.
/// </summary>
internal sealed class TarGuard(Stream unpacked, long largest) : Stream
{
    private const int Block = 512;
    private const int SizeAt = 124;
    private const int SizeLength = 12;
    private const int TypeAt = 156;

    // A path of 4096 bytes at most, and what else an archiver writes beside it.
    private const long LongestNames = 65_536;

    private readonly byte[] _header = new byte[Block];
    private int _inHeader;
    private long _toNextHeader;
    private long _passed;
    private long _claimed;

    /// <summary>The size that the last header claimed, in bytes.</summary>
    public long Size { get; private set; }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="PackageException">What was read may not pass.</exception>
    public override int Read(Span<byte> buffer) => Pass(buffer[..unpacked.Read(buffer)]);

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var length = await unpacked.ReadAsync(buffer, cancellationToken);
        return Pass(buffer.Span[..length]);
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Pass(ReadOnlySpan<byte> read)
    {
        Bound(_passed += read.Length);
        for (var rest = read; rest.Length > 0; )
        {
            var length = (int)Math.Min(rest.Length, _toNextHeader > 0 ? _toNextHeader : Block - _inHeader);
            if (_toNextHeader > 0)
            {
                _toNextHeader -= length;
            }
            else
            {
                rest[..length].CopyTo(_header.AsSpan(_inHeader));
                _inHeader += length;
                if (_inHeader == Block)
                {
                    _inHeader = 0;
                    Judge();
                }
            }
            rest = rest[length..];
        }
        return read.Length;
    }

    private void Judge()
    {
        Size = Octal(_header.AsSpan(SizeAt, SizeLength));
        _toNextHeader = (Size + Block - 1) / Block * Block;
        switch ((TarEntryType)_header[TypeAt])
        {
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.Directory:
                break;
            case TarEntryType.ExtendedAttributes or TarEntryType.GlobalExtendedAttributes or TarEntryType.LongPath:
                if (Size > LongestNames)
                {
                    throw new PackageException($"It holds a name or a note of more than {LongestNames} bytes.");
                }
                break;
            case var type:
                throw new PackageException($"It holds a {type}: only files and folders are taken.");
        }
        Bound(_claimed += Size);
    }

    private void Bound(long bytes)
    {
        if (bytes > largest)
        {
            throw new PackageException($"It unpacks to more than {largest} bytes.");
        }
    }

    // Eight gigabytes at most. The other form, for more, is of no use here.
    private static long Octal(ReadOnlySpan<byte> field)
    {
        var size = 0L;
        foreach (var digit in field.Trim((ReadOnlySpan<byte>)[0, (byte)' ']))
        {
            size = digit is >= (byte)'0' and <= (byte)'7'
                ? (size * 8) + digit - '0'
                : throw new PackageException("It is not a gzip tar that can be read: an entry has no size.");
        }
        return size;
    }
}
