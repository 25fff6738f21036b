using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals.Traces;

public sealed class SpanRulesTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Theory]
    [InlineData(1, 2, 0, "op", 0, 1, null)]
    [InlineData(0, 2, 0, "op", 0, 1, "trace id is 0")]
    [InlineData(1, 0, 0, "op", 0, 1, "span id is 0")]
    [InlineData(1, 2, 2, "op", 0, 1, "it is its own parent")]
    [InlineData(1, 2, 0, " ", 0, 1, "name is empty")]
    [InlineData(1, 2, 0, "op", 0, -1, "it ends before it begins")]
    [InlineData(1, 2, 0, "op", -18 * 3600, 1, null)]
    [InlineData(1, 2, 0, "op", -18 * 3600 - 1, 1, "it began more than 18 h ago")]
    [InlineData(1, 2, 0, "op", 0, 7200, null)]
    [InlineData(1, 2, 0, "op", 1, 7200, "it ends more than 2 h ahead")]
    [InlineData(1, 2, 0, "op", 0, 1e9, "it ends more than 2 h ahead")]
    public void WhatCanNeverBeSentIsToldWhy(
        int trace,
        int span,
        int parent,
        string name,
        double start,
        double duration,
        string? error
    ) =>
        SpanRules
            .Error(
                new Span((UInt128)trace, (ulong)span, name, Now.AddSeconds(start), TimeSpan.FromSeconds(duration))
                {
                    ParentId = (ulong)parent,
                },
                Now
            )
            .ShouldBe(error);

    [Fact]
    public void ASpanWithoutEndIsRefusedAndBreaksNothing() =>
        SpanRules.Error(new Span(1, 2, "op", Now, TimeSpan.MaxValue), Now).ShouldBe("it ends more than 2 h ahead");

    [Fact]
    public void AKindThatIsNoneIsRefused() =>
        SpanRules
            .Error(new Span(1, 2, "op", Now, default) { Kind = 0 }, Now)
            .ShouldBe("kind must be internal, server, client, producer or consumer");
}
