using System.Globalization;
using System.Text;
using System.Text.Json;
using AgentlessDatadog.Signals.Events;
using FsCheck.Xunit;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>Names reach an event's words in one way, and cannot act there.</summary>
public sealed class EventTextTests
{
    private const string Acting = "@%#*&|~`\\<>[]{}";

    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Theory]
    [InlineData("ada", "ada")]
    [InlineData("ada.lovelace-2_x", "ada.lovelace-2_x")]
    [InlineData("Zoë 王 😀", "Zoë 王 😀")]
    [InlineData("@pagerduty-Ops", "＠pagerduty-Ops")]
    [InlineData("ada@example.com", "ada＠example.com")]
    [InlineData("%%%\n# Pay here", "％％％ ＃ Pay here")]
    [InlineData("[x](http://evil.example)", "［x］(http：//evil.example)")]
    [InlineData("<img src=x>{{host.name}}", "＜img src=x＞｛｛host.name｝｝")]
    [InlineData("a\u202Eb\u2066c\u200Bd", "a\uFFFDb\uFFFDc\uFFFDd")]
    [InlineData("a\u001B[31mb\u009Bc", "a\uFFFD［31mb\uFFFDc")]
    [InlineData("a\r\n\tb\u2028c", "a   b c")]
    public void ANameInAHoleReadsTheSameAndCannotAct(string name, string inert)
    {
        EventText text = $"{name}";
        text.ToString().ShouldBe(inert);
        ((EventText)name).ToString().ShouldBe(inert);
    }

    [Fact]
    public void LiteralPartsStandAsTheyWereWritten()
    {
        EventText text = $"%%%\n**{"a*b"}** @{1.5:0.0}\n%%%";
        text.ToString().ShouldBe("%%%\n**a＊b** @1.5\n%%%");
    }

    [Fact]
    public void AHoleIsBoundedAndNeverTornWithinACharacter()
    {
        EventText text = $"{new string('x', 248) + "😀" + new string('y', 10_000_000)}";
        text.ToString().Length.ShouldBe(250);
        text.ToString().ShouldEndWith("x\uFFFD…");
    }

    [Property(MaxTest = 500)]
    public bool NoNamesActWhateverTheyAreAndHoweverTheyStand(string? one, string? other)
    {
        EventText title = $"{one}{other}";
        EventText text = $"{title} of {other}{one}";
        var body = EventEncoder.Encode(
            new DatadogEvent(title, EventText.Join("", [text, one ?? ""]), Now) { AggregationKey = $"k{other}" },
            []
        );
        using var json = JsonDocument.Parse(body);
        return new[] { "title", "text", "aggregation_key" }.All(field =>
            IsInert(json.RootElement.GetProperty(field).GetString()!)
        );
    }

    [Fact]
    public void AColonThatEndsOneTextAndASlashThatBeginsTheNextMakeNoAddress()
    {
        EventText one = $"{"http:"}";
        EventText other = $"{"//x"}";
        IsInert(EventText.Join("", [one, other]).ToString()).ShouldBeTrue();
        EventText beforeLiteral = $"{"http:"}//x";
        IsInert(beforeLiteral.ToString()).ShouldBeTrue();
    }

    [Fact]
    public void TwoLongAggregationKeysStayTwo()
    {
        string Key(string name) =>
            JsonDocument
                .Parse(EventEncoder.Encode(new DatadogEvent("t", "x", Now) { AggregationKey = name }, []))
                .RootElement.GetProperty("aggregation_key")
                .GetString()!;
        var same = new string('k', 150);
        Key(same + "a").Length.ShouldBe(100);
        Key(same + "a").ShouldNotBe(Key(same + "b"));
        Key(same + "a").ShouldBe(Key(same + "a"));
    }

    private static bool IsInert(string text) =>
        !text.Any(Acting.Contains)
        && !text.Contains(":/")
        && text.EnumerateRunes()
            .All(rune =>
                Rune.GetUnicodeCategory(rune)
                    is not (
                        UnicodeCategory.Control
                        or UnicodeCategory.Format
                        or UnicodeCategory.LineSeparator
                        or UnicodeCategory.ParagraphSeparator
                    )
            );
}
