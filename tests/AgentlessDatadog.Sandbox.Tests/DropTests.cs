using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class DropTests
{
    private const int Count = 1;
    private const int Rate = 2;
    private const int Gauge = 3;

    [Theory]
    [InlineData(-3600, null)]
    [InlineData(-3601, "too_old")]
    [InlineData(600, null)]
    [InlineData(601, "too_new")]
    public async Task ThePointWindowIsOneHourBackAndTenMinutesAhead(long offset, string? reason)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PutPointAsync("a", Gauge, 1, offset)).Status.ShouldBe(HttpStatusCode.Accepted);

        await ShouldBeDroppedAsync(sandbox, reason);
        (await sandbox.ValueAsync("avg:a{*}")).ShouldBe(reason is null ? 1 : null);
    }

    [Fact]
    public async Task MillisecondsFallOutOfTheWindow()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PutPointAsync("a", Gauge, 1, offset: sandbox.Now * 999);

        await ShouldBeDroppedAsync(sandbox, "too_new");
    }

    [Theory]
    [InlineData("1a", "bad_name")]
    [InlineData("_a", "bad_name")]
    [InlineData("", "bad_name")]
    [InlineData("éa", "bad_name")]
    public async Task ANameMustStartWithAnAsciiLetter(string name, string reason)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PutPointAsync(name, Gauge, 1);

        await ShouldBeDroppedAsync(sandbox, reason);
    }

    [Theory]
    [InlineData(200, null)]
    [InlineData(201, "name_too_long")]
    public async Task ANameHasAtMost200Characters(int length, string? reason)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PutPointAsync(new string('a', length), Gauge, 1);

        await ShouldBeDroppedAsync(sandbox, reason);
    }

    [Theory]
    [InlineData(200, null)]
    [InlineData(201, "tag_too_long")]
    public async Task ATagHasAtMost200Characters(int length, string? reason)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PutPointAsync("a", Gauge, 1, 0, "k:" + new string('v', length - 2));

        await ShouldBeDroppedAsync(sandbox, reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1k:v")]
    [InlineData(":v")]
    [InlineData("key:")]
    public async Task ATagStartsWithALetterAndDoesNotEndInAColon(string tag)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PutPointAsync("a", Gauge, 1, 0, tag);

        await ShouldBeDroppedAsync(sandbox, "bad_tag");
    }

    [Theory]
    [InlineData("Team A:b", "a_b.c", "User:Ünal X,Y", "user:ünal_x_y")]
    [InlineData("tps", "tps", "k:a:b", "k:a:b")]
    [InlineData("Tps", "Tps", "k:a-b_c./d", "k:a-b_c./d")]
    public async Task NamesKeepTheirCaseAndTagsLoseIt(string name, string kept, string tag, string keptTag)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        kept = name == "Team A:b" ? "Team_A_b" : kept;

        await sandbox.PutPointAsync(name, Gauge, 1, 0, tag);

        var metrics = (await sandbox.GetAsync("/api/v1/metrics?from=0")).Json.GetProperty("metrics");
        metrics[0].GetString().ShouldBe(kept);
        var key = keptTag[..keptTag.IndexOf(':', StringComparison.Ordinal)];
        (await sandbox.ValuesAsync($"avg:{kept}{{*}} by {{{key}}}")).Keys.ShouldHaveSingleItem().ShouldBe(keptTag);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public async Task WhatIsNoNumberIsDropped(double value)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Protobuf.Payload(Protobuf.Series("a", Gauge, [(value, sandbox.Now), (1, sandbox.Now - 1)]));

        await sandbox.PostAsync("/api/v2/series", body, "application/x-protobuf");

        await ShouldBeDroppedAsync(sandbox, "not_a_number");
        (await sandbox.ValueAsync("sum:a{*}.rollup(sum,3600)")).ShouldBe(1);
    }

    [Fact]
    public async Task TheFirstTypeStays()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", Count, 5);

        await sandbox.PutPointAsync("a", Gauge, 7);
        await sandbox.PutPointAsync("a", Rate, 7);
        await sandbox.PutSamplesAsync("a", [7, 7]);

        (await sandbox.DroppedAsync())["type_conflict"].ShouldBe(4);
        (await sandbox.GetAsync("/api/v1/metrics/a")).Json.GetProperty("type").GetString().ShouldBe("count");
        (await sandbox.ValueAsync("sum:a{*}")).ShouldBe(5);
    }

    [Fact]
    public async Task WithoutATypeANameTakesTheTypeThatComesLater()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", 0, 1);
        (await sandbox.GetAsync("/api/v1/metrics/a")).Json.GetProperty("type").GetString().ShouldBe("");

        await sandbox.PutPointAsync("a", Gauge, 2);

        (await sandbox.DroppedAsync()).ShouldBeEmpty();
        (await sandbox.GetAsync("/api/v1/metrics/a")).Json.GetProperty("type").GetString().ShouldBe("gauge");
    }

    [Fact]
    public async Task AnUnknownUnitGoesAndThePointStays()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            var body = Protobuf.Payload(Protobuf.Series("a", Gauge, [(1, sandbox.Now)], unit: "seconds"));
            await sandbox.PostAsync("/api/v2/series", body, "application/x-protobuf");
        }

        (await sandbox.DroppedAsync())["unknown_unit"].ShouldBe(1);
        (await sandbox.ValueAsync("avg:a{*}")).ShouldBe(1);
    }

    [Fact]
    public async Task ADroppedPointIsListedWithAllThatOneNeedsToFindIt()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PutPointAsync("a", Gauge, 42, -4000);

        var item = (await sandbox.GetAsync("/sandbox/dropped")).Json.GetProperty("items")[0];
        item.GetProperty("metric").GetString().ShouldBe("a");
        item.GetProperty("reason").GetString().ShouldBe("too_old");
        item.GetProperty("value").GetDouble().ShouldBe(42);
        item.GetProperty("timestamp").GetInt64().ShouldBe(sandbox.Now - 4000);
        item.GetProperty("time").GetDateTimeOffset().ShouldBe(sandbox.Time.GetUtcNow());
    }

    [Fact]
    public async Task TheListIsBoundedAndTheTotalsGoOn()
    {
        await using var sandbox = await TestSandbox.StartAsync(options =>
            options with
            {
                Limits = options.Limits with { Dropped = 2 },
            }
        );
        for (var i = 0; i < 5; i++)
        {
            await sandbox.PutPointAsync("a", Gauge, i, -4000);
        }

        var dropped = (await sandbox.GetAsync("/sandbox/dropped")).Json;

        dropped.GetProperty("total").GetInt32().ShouldBe(5);
        dropped
            .GetProperty("items")
            .EnumerateArray()
            .Select(item => item.GetProperty("value").GetInt32())
            .ShouldBe([4, 3]);
    }

    [Fact]
    public async Task OneBadSeriesTakesNoOtherWithIt()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var points = $$"""[{"timestamp":{{sandbox.Now}},"value":1}]""";

        await sandbox.PostV2Async(
            $$"""{"metric":"1","type":3,"points":{{points}}},{"metric":"good","type":3,"points":{{points}}}"""
        );

        (await sandbox.ValueAsync("avg:good{*}")).ShouldBe(1);
        await ShouldBeDroppedAsync(sandbox, "bad_name");
    }

    private static async Task ShouldBeDroppedAsync(TestSandbox sandbox, string? reason)
    {
        var dropped = await sandbox.DroppedAsync();
        if (reason is null)
        {
            dropped.ShouldBeEmpty();
        }
        else
        {
            dropped.ShouldHaveSingleItem().ShouldBe(new KeyValuePair<string, int>(reason, 1));
        }
    }
}
