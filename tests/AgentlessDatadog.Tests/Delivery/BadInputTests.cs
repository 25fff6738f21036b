using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>What is odd or too large is made fit and sent, beside what is good, and nothing of it is unaccounted for.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task SpansAndEntriesOfEveryKindThatIsTooLargeOrNoTextArriveWhereTheyCanAndTheLedgerBalances()
    {
        await using var rig = await Rig.StartAsync();
        var now = rig.Clock.GetUtcNow();
        var half = "half \ud83c of a pair \udf89";
        KeyValuePair<string, object?>[] many = [.. Enumerable.Range(0, 2_000).Select(i => Pair($"a{i}", $"value {i}"))];
        var span = Some.Span(now);
        await rig.KeepAsync(
            span,
            Some.Span(now) with
            {
                Attributes = [Pair("long", new string('x', 30_000))],
            },
            Some.Span(now) with
            {
                Attributes = many,
            },
            Some.Span(now) with
            {
                Name = half,
                Resource = half,
                Attributes = [Pair(half, half)],
                Error = new ErrorDetails(half, half) { Stack = half },
            },
            Some.Span(now) with
            {
                SpanId = 0,
            },
            Some.Span(now) with
            {
                ParentId = span.SpanId,
                SpanId = span.SpanId,
            },
            Some.Log(now),
            Some.Log(now, new string('y', 3_000_000)),
            Some.Log(now, half) with
            {
                Attributes = [Pair(half, half)],
                Error = new ErrorDetails(half, half) { Stack = half },
            },
            Some.Log(now) with
            {
                Attributes = [.. many, Pair("long", new string('x', 30_000))],
            },
            Some.Log(now, "")
        );
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.Ledger(Lane.Traces).ShouldBe(6, delivered: 4, rejected: 2);
        rig.Ledger(Lane.Traces).Reasons.Keys.ShouldBe(["span id is 0", "it is its own parent"], ignoreOrder: true);
        rig.Ledger(Lane.Logs).ShouldBe(5, delivered: 4, rejected: 1);
        rig.Ledger(Lane.Logs).Reasons.Keys.ShouldBe(["message is empty"]);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    private static KeyValuePair<string, object?> Pair(string name, object? value) => new(name, value);
}
