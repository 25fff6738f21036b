using Shouldly;
using Xunit;

namespace StreamSpace.Plugins.Tests;

public sealed class EnvironmentVariablesTests
{
    [Fact]
    public void WhiteSpaceAroundAValueIsNoPartOfItAndAnEmptyOneIsNotSet()
    {
        var read = EnvironmentVariables.Read(
            new Dictionary<string, string>
            {
                ["TRIMMED"] = " \tdatadoghq.eu\r\n",
                ["EMPTY"] = "",
                ["BLANK"] = " \n",
                ["WITHIN"] = "a b",
            }
        );
        read.ShouldBe(
            new Dictionary<string, string> { ["TRIMMED"] = "datadoghq.eu", ["WITHIN"] = "a b" },
            ignoreOrder: true
        );
    }

    [Theory]
    [InlineData("\"key\"", true)]
    [InlineData("'key'", true)]
    [InlineData("  \"key\"  ", true)]
    [InlineData("\"\"", true)]
    [InlineData("\"", false)]
    [InlineData("it's", false)]
    [InlineData("\"key'", false)]
    public void AValueInQuotationMarksIsNamedAndTakenAsItIs(string value, bool named)
    {
        var read = EnvironmentVariables.Read(new Dictionary<string, string> { ["DD_SITE"] = value, ["PS1"] = "'>'" });
        read["DD_SITE"].ShouldBe(value.Trim());
        EnvironmentVariables
            .InQuotes(read, ["DD_SITE", "DD_ENV"])
            .Select(w => w.Found)
            .ShouldBe(named ? ["DD_SITE stands in quotation marks, which are taken as part of its value."] : []);
    }
}
