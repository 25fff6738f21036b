using System.Text.Json;
using Microsoft.Data.Sqlite;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Store;

/// <summary>
/// The log of facts and the cursors in it. Facts are kept for 48 hours, for so long one that comes again is known by its id,
/// and up to a bound of bytes. Within its owner's transactions, one call at a time.
/// </summary>
internal sealed class SqliteFactTable
{
    /// <summary>How long a fact is kept.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(48);

    /// <summary>The most bytes of facts, some 300,000 of them.</summary>
    public const long MostBytes = 128 * 1024 * 1024;

    // Oldest first: where each began, and its id.
    private readonly List<(long First, string Id)> _runs = [];

    private long _bytes;
    private long _bytesAfter;

    /// <summary>
    /// Reads what an earlier process left. A run begins: its facts are a log under an id of its
    /// own, so that the sequences that an older copy of the file gives once more are not taken for those that were lost.
    /// </summary>
    public SqliteFactTable(SqliteConnection connection)
    {
        Last = connection.Scalar("SELECT seq FROM sqlite_sequence WHERE name = 'platform_facts'") as long? ?? 0;
        LogId = Guid.NewGuid().ToString("N");
        // A run of which no fact is left needs no id.
        connection.Execute(
            $"""
            DELETE FROM platform_log WHERE first > {Last} OR EXISTS (
                SELECT 1 FROM platform_log AS later WHERE later.first > platform_log.first
                    AND later.first <= (SELECT ifnull(min(sequence), {Last + 1}) FROM platform_facts));
            INSERT INTO platform_log (id, first) VALUES ('{LogId}', {Last + 1});
            """
        );
        using var read = connection.Statement("SELECT first, id FROM platform_log ORDER BY first");
        using var rows = read.ExecuteReader();
        while (rows.Read())
        {
            _runs.Add((rows.GetInt64(0), rows.GetString(1)));
        }
        _bytes = connection.Scalar("SELECT sum(length(fact)) FROM platform_facts") as long? ?? 0;
    }

    /// <summary>Which log the facts of this run are.</summary>
    public string LogId { get; }

    /// <summary>The sequence of the last fact that was ever added, or 0.</summary>
    public long Last { get; private set; }

    /// <summary>The last sequence that each subscriber has.</summary>
    public static Dictionary<string, long> Cursors(SqliteConnection connection)
    {
        var cursors = new Dictionary<string, long>(StringComparer.Ordinal);
        using var read = connection.Statement("SELECT subscriber, sequence FROM platform_cursors");
        using var rows = read.ExecuteReader();
        while (rows.Read())
        {
            cursors[rows.GetString(0)] = rows.GetInt64(1);
        }
        return cursors;
    }

    /// <summary>Adds the facts that are new, moves cursors, and lets go what is too old or too much.</summary>
    public IReadOnlyList<PlatformFact> Keep(PlatformChange change, SqliteTransaction transaction)
    {
        _bytesAfter = _bytes;
        var added = Add(change, transaction);
        using var move = transaction.Statement(
            "INSERT INTO platform_cursors (subscriber, sequence) VALUES ($1, $2) "
                + "ON CONFLICT (subscriber) DO UPDATE SET sequence = excluded.sequence"
        );
        using var remove = transaction.Statement("DELETE FROM platform_cursors WHERE subscriber = $1");
        foreach (var (subscriber, sequence) in change.Cursors)
        {
            if (sequence is { } last)
            {
                move.Run(subscriber, last);
            }
            else
            {
                remove.Run(subscriber);
            }
        }
        Trim(change.Now, transaction);
        return added;
    }

    /// <summary>What <see cref="Keep"/> did is on disk.</summary>
    public void Committed(IReadOnlyList<PlatformFact> added)
    {
        Last = added is [.., var last] ? last.Sequence : Last;
        _bytes = _bytesAfter;
    }

    /// <inheritdoc cref="IPlatformStore.Read"/>
    public FactPage Read(SqliteConnection connection, long after, int atMost)
    {
        using var read = connection.Statement(
            "SELECT sequence, fact FROM platform_facts WHERE sequence > $1 ORDER BY sequence LIMIT $2"
        );
        read.Bind(after, atMost);
        using var rows = read.ExecuteReader();
        var facts = new List<PlatformFact>();
        var last = after;
        string? log = null;
        while (rows.Read() && (log is null || LogOf(rows.GetInt64(0)) == log))
        {
            last = rows.GetInt64(0);
            log = LogOf(last);
            try
            {
                facts.Add(FactText.Read(rows.GetString(1)) with { Sequence = last });
            }
            // One that the disk has spoilt costs itself alone, and is counted as missing.
            catch (JsonException) { }
        }
        // Nothing beyond it, though there was: all of it has left the log.
        last = facts.Count == 0 && last == after ? Last : last;
        return new FactPage(log ?? LogId, facts, last, last - after - facts.Count);
    }

    private string LogOf(long sequence) => _runs.FindLast(run => run.First <= sequence).Id;

    private List<PlatformFact> Add(PlatformChange change, SqliteTransaction transaction)
    {
        using var find = transaction.Statement("SELECT sequence FROM platform_facts WHERE id = $1");
        using var add = transaction.Statement(
            "INSERT INTO platform_facts (sequence, id, kept, fact) VALUES ($1, $2, $3, $4)"
        );
        var added = new List<PlatformFact>();
        foreach (var fact in change.Facts)
        {
            find.Bind(fact.Id);
            if (find.ExecuteScalar() is long there)
            {
                // Beyond what is known to be committed: it was, although nobody could say so then. Not one of this very batch.
                if (there > Last + added.Count)
                {
                    added.Add(fact with { Sequence = there });
                }
                continue;
            }
            // Without a gap: what a reader finds missing has been trimmed, or is damaged.
            var next = fact with
            {
                Sequence = Last + added.Count + 1,
            };
            var text = FactText.Write(next);
            add.Run(next.Sequence, next.Id, change.Now.ToUnixTimeSeconds(), text);
            added.Add(next);
            _bytesAfter += text.Length;
        }
        return added;
    }

    // From the oldest on, so that a look at one row tells that there is nothing to do.
    private void Trim(DateTimeOffset now, SqliteTransaction transaction)
    {
        using var oldest = transaction.Statement(
            "SELECT sequence, kept, length(fact) FROM platform_facts ORDER BY sequence LIMIT 1000"
        );
        using var rows = oldest.ExecuteReader();
        var limit = (now - KeptFor).ToUnixTimeSeconds();
        long upTo = 0;
        while (rows.Read() && (rows.GetInt64(1) < limit || _bytesAfter > MostBytes))
        {
            (upTo, _bytesAfter) = (rows.GetInt64(0), _bytesAfter - rows.GetInt64(2));
        }
        rows.Close();
        if (upTo > 0)
        {
            using var delete = transaction.Statement("DELETE FROM platform_facts WHERE sequence <= $1");
            delete.Run(upTo);
        }
    }
}
