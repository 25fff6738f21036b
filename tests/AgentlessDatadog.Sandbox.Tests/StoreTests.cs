namespace AgentlessDatadog.Sandbox.Tests;

public sealed class StoreTests
{
    private const int Count = 1;
    private const int Gauge = 3;

    [Fact]
    public async Task TheLastPointOfASecondWinsAlsoForCounts()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", Count, 5, 0, "k:v", "x:y");
        await sandbox.PutPointAsync("a", Count, 7, 0, "X:Y", "k:v", "k:v");

        (await sandbox.ValueAsync("sum:a{*}")).ShouldBe(7);
    }

    [Fact]
    public async Task OtherTagsAreAnotherSeries()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", Count, 5, 0, "k:v");
        await sandbox.PutPointAsync("a", Count, 7, 0, "k:w");

        (await sandbox.ValueAsync("sum:a{*}")).ShouldBe(12);
    }

    [Fact]
    public async Task SamplesSentTwiceAreHeldTwice()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutSamplesAsync("a", [1, 2]);
        await sandbox.PutSamplesAsync("a", [1, 2]);

        (await sandbox.ValueAsync("count:a{*}")).ShouldBe(4);
        (await sandbox.ValueAsync("sum:a{*}")).ShouldBe(6);
    }

    [Fact]
    public async Task PointsMayComeInAnyOrder()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var offset in new[] { -5, -1, -9, -3, -7, -2, -8, -4, -6, -10, -3 })
        {
            await sandbox.PutPointAsync("a", Gauge, offset, offset);
        }

        (await sandbox.ValuesAsync("avg:a{*}.rollup(1)"))[""].ShouldBe([-10, -9, -8, -7, -6, -5, -4, -3, -2, -1]);
    }

    [Fact]
    public async Task PointsGoWhenRetentionIsOverAndSoDoesAMetricWithoutAny()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Retention = TimeSpan.FromHours(2) });
        await sandbox.PutPointAsync("a", Gauge, 1);
        var sent = sandbox.Now;

        sandbox.Time.Advance(TimeSpan.FromHours(2));
        (await sandbox.ValuesAsync("avg:a{*}", sent - 10, sent + 10))[""].ShouldBe([1]);

        sandbox.Time.Advance(TimeSpan.FromSeconds(1));
        (await sandbox.ValuesAsync("avg:a{*}", sent - 10, sent + 10)).ShouldBeEmpty();

        sandbox.Time.Advance(TimeSpan.FromMinutes(1));
        (await sandbox.GetAsync("/api/v1/metrics?from=0")).Json.GetProperty("metrics").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task TooManyPointsPushOutTheOldestAndAreCounted()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Limits = o.Limits with { Points = 100 } });
        var points = string.Join(
            ',',
            Enumerable.Range(0, 101).Select(i => $$"""{"timestamp":{{sandbox.Now - 200 + i}},"value":{{i}}}""")
        );

        await sandbox.PostV2Async($$"""{"metric":"a","type":3,"points":[{{points}}]}""");

        (await sandbox.ValuesAsync("avg:a{*}.rollup(1)"))[""].ShouldBe(Enumerable.Range(11, 90).Select(i => (double)i));
        var evicted = (await sandbox.GetAsync("/sandbox/dropped")).Json.GetProperty("evicted");
        evicted.GetProperty("points").GetInt32().ShouldBe(11);
    }

    [Fact]
    public async Task TooManySeriesPushOutThoseThatWereSilentLongest()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Limits = o.Limits with { Series = 10 } });
        for (var i = 0; i < 11; i++)
        {
            await sandbox.PutPointAsync("a", Gauge, i, i, $"n:{i}");
        }

        (await sandbox.ValuesAsync("avg:a{*} by {n}"))
            .Values.Select(values => values[0])
            .Order()
            .ShouldBe([2, 3, 4, 5, 6, 7, 8, 9, 10]);
        var evicted = (await sandbox.GetAsync("/sandbox/dropped")).Json.GetProperty("evicted");
        evicted.GetProperty("series").GetInt32().ShouldBe(2);
    }

    [Fact]
    public void ATagSetHasOneInstanceUntilItIsForgotten()
    {
        var table = new Store.TagTable();
        table.TryIntern(["a:b", "A:B", "c:d"], out var set, out _, out _).ShouldBeTrue();
        set!.Tags.ShouldBe(["a:b", "c:d"]);
        table.TryIntern(["c:d", "a:b"], out var same, out _, out _).ShouldBeTrue();
        same.ShouldBeSameAs(set);

        table.Remove(set);

        table.Count.ShouldBe(0);
    }
}
