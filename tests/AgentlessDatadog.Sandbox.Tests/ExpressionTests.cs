namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Queries are reckoned with group by group and bucket by bucket.</summary>
public sealed class ExpressionTests
{
    private const int Count = 1;
    private const int Gauge = 3;

    [Theory]
    [InlineData("sum:good{*} + sum:bad{*}", 12)]
    [InlineData("100 * sum:bad{*} / (sum:good{*} + sum:bad{*})", 100 * 2 / 12.0)]
    [InlineData("sum:good{*} - 2 * 3", 4)]
    [InlineData("-sum:good{*}", -10)]
    [InlineData("2 - sum:good{*}", -8)]
    [InlineData("abs(-1.5e1 + sum:good{*})", 5)]
    [InlineData("clamp_max(sum:good{*}, 4)", 4)]
    [InlineData("clamp_min(sum:good{*}, 40)", 40)]
    [InlineData("is_greater(sum:good{*}, 9)", 1)]
    [InlineData("is_greater(sum:good{*}, 10)", 0)]
    [InlineData("count_nonzero(sum:good{*} by {t})", 2)]
    [InlineData("count_nonzero(0 * sum:good{*} by {t})", 0)]
    public async Task ArithmeticFollowsItsRules(string query, double value)
    {
        await using var sandbox = await StartAsync();

        (await sandbox.ValueAsync(query)).ShouldBe(value);
    }

    [Fact]
    public async Task GroupsOfTheSameTagsBelongTogether()
    {
        await using var sandbox = await StartAsync();

        var ratio = await sandbox.ValuesAsync("sum:bad{*} by {t} / sum:good{*} by {t}");
        ratio.Keys.ShouldBe(["t:a"]);
        ratio["t:a"].ShouldBe([0.5]);
        (await sandbox.ValuesAsync("sum:good{*} by {t} / sum:good{*}")).Keys.ShouldBe(["t:a", "t:b"]);
        (await sandbox.ValuesAsync("sum:good{*} by {t,u} - sum:good{*} by {u,t}"))["t:a,u:x"].ShouldBe([0]);
    }

    [Fact]
    public async Task WhatIsNotThereIsNoZeroUnlessItIsSaid()
    {
        await using var sandbox = await StartAsync();

        (await sandbox.ValuesAsync("sum:good{*} + sum:none{*}")).ShouldBeEmpty();
        (await sandbox.ValueAsync("sum:good{*} + default_zero(sum:none{*})")).ShouldNotBeNull();
        var values = await sandbox.ValuesAsync("default_zero(sum:bad{*} by {t}) / sum:good{*} by {t}");
        values["t:a"].ShouldBe([0.5]);
        values["t:b"].ShouldBe([0]);
        (await sandbox.ValuesAsync("sum:good{*} / sum:zero{*}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task DefaultZeroFillsEveryBucketOfTheWindow()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", Count, 5, -30);

        var values = await sandbox.ValuesAsync(
            "default_zero(sum:a{*}.rollup(sum, 10))",
            sandbox.Now - 50,
            sandbox.Now - 1
        );

        values[""].ShouldBe([0, 0, 5, 0, 0]);
    }

    [Fact]
    public async Task AShiftShowsWhatWasBefore()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", Gauge, 7, -3_600);
        await sandbox.PutPointAsync("a", Gauge, 9);

        var now = await sandbox.ValuesAsync("avg:a{*}", sandbox.Now - 60, sandbox.Now);
        var before = await sandbox.ValuesAsync("hour_before(avg:a{*})", sandbox.Now - 60, sandbox.Now);
        var growth = await sandbox.ValuesAsync("avg:a{*} - timeshift(avg:a{*}, -3600)", sandbox.Now - 60, sandbox.Now);

        now[""].ShouldBe([9]);
        before[""].ShouldBe([7]);
        growth[""].ShouldBe([2]);
    }

    [Fact]
    public async Task TheTagsThatAreNotConfiguredCannotBeAskedFor()
    {
        await using var sandbox = await StartAsync();
        await sandbox.PostAsync(
            "/api/v2/metrics/good/tags",
            """{"data":{"type":"manage_tags","id":"good","attributes":{"metric_type":"count","tags":["u"]}}}"""
        );

        (await sandbox.ValuesAsync("sum:good{*} by {t}")).Keys.ShouldBe(["t:N/A"]);
        (await sandbox.ValuesAsync("sum:good{t:a}")).ShouldBeEmpty();
        (await sandbox.ValuesAsync("sum:good{u:x} by {u}"))["u:x"].ShouldBe([10]);
    }

    [Theory]
    [InlineData('(')]
    [InlineData('-')]
    public async Task ADeepExpressionIsRefusedAndNotFollowed(char what)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.AskAsync(new string(what, 1_000))).Error.ShouldContain("levels");
        (await sandbox.AskAsync(string.Join('+', Enumerable.Repeat("1", 1_000)))).Error.ShouldContain("operations");
    }

    private static async Task<TestSandbox> StartAsync()
    {
        var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("good", Count, 4, 0, "t:a", "u:x");
        await sandbox.PutPointAsync("good", Count, 6, 0, "t:b", "u:x");
        await sandbox.PutPointAsync("bad", Count, 2, 0, "t:a");
        await sandbox.PutPointAsync("zero", Count, 0);
        return sandbox;
    }
}
