using System.Buffers.Binary;
using System.Globalization;

namespace NamedFiles;

/// <summary>
/// What SQLite says nothing about: it reads its log (-wal) up to the first frame that is not as it was written, and takes
/// that for the end, whatever was committed behind it (sqlite.org/fileformat2.html, "The Write-Ahead Log").
/// </summary>
internal static class LogDamage
{
    private const int HeaderSize = 32;
    private const int FrameHeaderSize = 24;

    /// <summary>
    /// Copies a damaged log to a name of its own, before the database is opened; no process may be at it. Says what is lost
    /// and where the copy lies, or returns null when the log is whole. What a process had not yet written to its end when
    /// it died is no damage.
    /// </summary>
    /// <exception cref="IOException">The log cannot be read, or not be copied.</exception>
    public static string? Quarantine(string database, DateTimeOffset now)
    {
        var log = $"{database}-wal";
        if (!File.Exists(log) || LostCommits(File.ReadAllBytes(log)) is not (> 0 and var lost))
        {
            return null;
        }
        var stamp = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var aside = $"{log}.damaged-{stamp}";
        // A copy keeps the rights of what it is made of.
        File.Copy(log, aside, overwrite: true);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Path.GetFileName(log)} was damaged: what was kept in {lost} commits at least is lost. A copy of it is set aside as {aside}."
        );
    }

    /// <summary>How many commits lie behind the first frame that is not as it was written.</summary>
    public static int LostCommits(ReadOnlySpan<byte> log)
    {
        if (log.Length <= HeaderSize + FrameHeaderSize)
        {
            return 0;
        }
        var magic = Word(log, 0);
        var isBig = magic == 0x377f0683;
        var sum = Sum(log[..24], isBig, default);
        var pageSize = (int)Word(log, 8);
        if ((!isBig && magic != 0x377f0682) || sum != Stored(log, 24) || pageSize is < 512 or > 65536)
        {
            // How many there were, nobody can tell.
            return log.IndexOfAnyExcept((byte)0) < 0 ? 0 : 1;
        }
        var salts = log.Slice(16, 8);
        var (isWhole, lost, isFirst) = (true, 0, true);
        for (var at = HeaderSize; at + FrameHeaderSize + pageSize <= log.Length; at += FrameHeaderSize + pageSize)
        {
            var frame = log.Slice(at, FrameHeaderSize + pageSize);
            // Left there from before the log began anew.
            if (!frame.Slice(8, 8).SequenceEqual(salts))
            {
                if (isWhole)
                {
                    (isWhole, isFirst) = (false, false);
                }
                continue;
            }
            if (isWhole)
            {
                sum = Sum(frame[FrameHeaderSize..], isBig, Sum(frame[..8], isBig, sum));
                isWhole = sum == Stored(frame, 16);
                if (isWhole)
                {
                    continue;
                }
            }
            var commits = Word(frame, 4) != 0;
            // The very frame that a process was at when it died looks the same as a damaged one: it tells nothing alone.
            if (!isFirst && commits)
            {
                lost++;
            }
            isFirst = false;
        }
        return lost;
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);

    private static (uint, uint) Stored(ReadOnlySpan<byte> bytes, int at) => (Word(bytes, at), Word(bytes, at + 4));

    private static (uint, uint) Sum(ReadOnlySpan<byte> bytes, bool isBig, (uint, uint) sum)
    {
        var (one, two) = sum;
        for (var at = 0; at < bytes.Length; at += 8)
        {
            one += Read(bytes, at, isBig) + two;
            two += Read(bytes, at + 4, isBig) + one;
        }
        return (one, two);
    }

    private static uint Read(ReadOnlySpan<byte> bytes, int at, bool isBig) =>
        isBig
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes[at..])
            : BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
