using AgentlessDatadog.Tracing;
using FsCheck.Xunit;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Tracing;

public sealed class RedactionTests
{
    [Theory]
    [InlineData(
        "SELECT * FROM users WHERE name = 'ada' AND age > 41",
        "SELECT * FROM users WHERE name = ? AND age > ?"
    )]
    [InlineData("SELECT 'it''s' || E'a\\'b' || U&'x' || B'01' || 'x'", "SELECT ? || ? || ? || ? || ?")]
    [InlineData("SELECT $$it's$$, $tag$ $$ $tag$, $1, @p0, :p1", "SELECT ?, ?, $1, @p0, :p1")]
    [InlineData("SELECT t1.c2, -1.5e-3, .5, 0xFF, 1_000 LIMIT 10", "SELECT t1.c2, ?, ?, ?, ? LIMIT ?")]
    [InlineData(
        "SELECT a-1, \"Table 1\" -- of ada\nFROM t /* 'ada' */ WHERE x",
        "SELECT a-?, \"Table 1\" FROM t WHERE x"
    )]
    [InlineData("SELECT 'never ends", "SELECT ?")]
    [InlineData("SELECT $x$never ends", "SELECT ?")]
    [InlineData("SELECT 1 /* never ends", "SELECT ?")]
    public void AStatementKeepsItsWordsAndLosesItsValues(string statement, string redacted) =>
        Redaction.OfStatement(statement).ShouldBe(redacted);

    [Property]
    public void NoTextThatIsQuotedIsLeft(string text)
    {
        var quoted = $"'{(text ?? "").Replace("'", "''", StringComparison.Ordinal)}'";
        Redaction
            .OfStatement($"SELECT a FROM t WHERE b = {quoted} AND c")
            .ShouldBe("SELECT a FROM t WHERE b = ? AND c");
    }

    [Theory]
    [InlineData("https://a.example/b/c", "https://a.example/b/c")]
    [InlineData("https://a.example/b?name=ada#part", "https://a.example/b?")]
    [InlineData("https://a.example/b#part", "https://a.example/b?")]
    [InlineData("https://ada:pass@a.example/b@c", "https://a.example/b@c")]
    [InlineData("/b/c?name=ada", "/b/c?")]
    public void AnAddressKeepsItsPathAndLosesWhoAsksAndTheQuery(string address, string redacted) =>
        Redaction.OfAddress(address).ShouldBe(redacted);
}
