using System.Globalization;
using System.Text;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Tests.Store;

/// <summary>What a pipeline would hand to a store, and what a store holds as text that can be compared.</summary>
internal static class Sample
{
    public static Measurement Measurement(double value, string tag = "env:test") =>
        new("streamspace.user.login", MetricType.Count, value, ["user:ann", tag]) { IsItem = true };

    public static JournalEntry Entry(long sequence, params double[] values) =>
        new(sequence, "datadog", [.. values.Select(value => Measurement(value))]);

    public static QueuedRequest Request(long id, int size = 100) =>
        new(
            new RequestHeader(
                id,
                Lane.Metrics,
                "datadog",
                "/api/v2/series",
                "application/x-protobuf",
                id % 2 == 0 ? "zstd" : null,
                size,
                3,
                DateTimeOffset.UnixEpoch.AddSeconds(id)
            ),
            Body(id, size)
        );

    public static byte[] Body(long id, int size)
    {
        var body = new byte[size];
        new Random((int)id).NextBytes(body);
        return body;
    }

    public static LedgerMove Accepted(long units) => new(Lane.Metrics, Account.Queued, units);

    public static LedgerMove Delivered(long units) => new(Lane.Metrics, Account.Delivered, units);

    public static SeenKey[] Keys(long second, params int[] hashes) =>
        [.. hashes.Select(hash => new SeenKey((UInt128)hash << 64 | 7, second))];

    public static Loss Lost(long units, long second, Lane? lane = null, string reason = "too old") =>
        new(lane ?? Lane.Metrics, "datadog", units, At(second), At(second), reason);

    public static DateTimeOffset At(long second) => DateTimeOffset.FromUnixTimeSeconds(second);

    public static JournalAppend JournalAppend(
        JournalEntry journal,
        QueuedRequest[]? payloads = null,
        SeenKey[]? keys = null,
        LedgerMove[]? moves = null
    ) => new(journal, payloads ?? [], keys ?? [], moves ?? []);

    public static JournalFlush Flush(
        long second,
        long sequence,
        QueuedRequest[]? payloads = null,
        LedgerMove[]? moves = null,
        long forget = 0
    ) => new(second, sequence, payloads ?? [], moves ?? [], forget);

    public static string Text(this StoreContents contents)
    {
        var text = new StringBuilder();
        Line($"flush {contents.LastFlush} sequence {contents.LastSequence} payload {contents.LastRequest}");
        foreach (var entry in contents.Journal)
        {
            Line($"journal {entry.Sequence} for {entry.Destination}");
            foreach (var item in entry.Measurements)
            {
                Line($"  {item with { Tags = [] }} tags {string.Join(',', item.Tags)} at {item.Timestamp?.UtcTicks}");
            }
        }
        foreach (var type in contents.Types)
        {
            Line($"type {type}");
        }
        foreach (var header in contents.Outbox)
        {
            Line($"outbox {header}");
        }

        foreach (var key in contents.Keys)
        {
            Line($"seen {key}");
        }

        foreach (var position in contents.Positions)
        {
            Line($"stream {position}");
        }

        foreach (var loss in contents.Expired.OrderBy(loss => (loss.Lane.Name, loss.Destination)))
        {
            Line($"loss {loss}");
        }

        foreach (var move in contents.Ledger.OrderBy(move => (move.To, move.Lane.Name)).ThenBy(move => move.Reason))
        {
            Line($"ledger {move}");
        }

        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
