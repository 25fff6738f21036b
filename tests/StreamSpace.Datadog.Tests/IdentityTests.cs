using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>Names that are one to Datadog are one here: what is said of them is put together, and nothing overwritten.</summary>
public sealed class IdentityTests
{
    [Fact]
    public async Task SessionsOfUsersWhoseNamesDifferInCaseAloneAreAddedUp()
    {
        await using var run = await PluginRun.StartAsync();
        var one = Some.Session("s1", run.Now, user: "Bob");
        var two = Some.Session("s2", run.Now, user: "bob");
        var three = Some.Session("s3", run.Now, user: "bob");
        await run.HandleAsync(Some.Created(one), Some.Created(two), Some.Created(three));
        await run.FlushAsync();
        (await Active()).ShouldBe(new() { ["user:bob"] = 3 });

        await run.HandleAsync(Some.Ended(one, run.Now), Some.Ended(two, run.Now));
        await run.FlushAsync();
        (await Active()).ShouldBe(new() { ["user:bob"] = 1 });

        await run.HandleAsync(Some.Ended(three, run.Now));
        await run.FlushAsync();
        (await Active()).ShouldBe(new() { ["user:bob"] = 0 });

        Task<Dictionary<string, double>> Active() =>
            run.LastAsync("sum:streamspace.session.active{*} by {user}.rollup(max, 1)");
    }

    [Theory]
    [InlineData("Chrome", "chrome")]
    [InlineData("chrome esr", "chrome_esr")]
    public async Task SessionsOfTemplatesWhoseNamesAreOneToDatadogAreAddedUp(string first, string second)
    {
        await using var run = await PluginRun.StartAsync();
        run.Apply(Some.Session("s1", run.Now, template: first), Some.Session("s2", run.Now, template: second));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {template}")).ShouldBe(
            new() { [$"template:{second}"] = 2 }
        );
    }

    [Fact]
    public async Task OfSessionsWhoseNamesAreOneToDatadogUseIsAddedUpOrTheHighest()
    {
        await using var run = await PluginRun.StartAsync();
        var upper = Some.Session("S1", run.Now.AddSeconds(-500));
        var lower = Some.Session("s1", run.Now.AddSeconds(-10));
        run.Apply(upper, lower);
        run.Measure(upper, 70, 1000, 5);
        run.Measure(lower, 20, 300, 7);
        await run.FlushAsync();
        (await Last("cpu_usage")).ShouldBe([70]);
        (await Last("memory_usage")).ShouldBe([1300]);
        (await Last("storage_usage")).ShouldBe([12]);
        (await Last("duration")).ShouldBe([510]);

        // What one of them used last counts until it is measured anew.
        run.Measure(lower, 80, 400, null);
        await run.FlushAsync();
        (await Last("cpu_usage")).ShouldBe([80]);
        (await Last("memory_usage")).ShouldBe([1400]);

        // Its final running time is the highest of that flush, and then it has no say.
        await run.HandleAsync(Some.Ended(upper, run.Now.AddSeconds(1)));
        run.Measure(lower, 10, 500, null);
        await run.FlushAsync();
        (await Last("cpu_usage")).ShouldBe([10]);
        (await Last("memory_usage")).ShouldBe([500]);
        (await Last("duration")).ShouldBe([521]);
        await run.FlushAsync();
        (await Last("duration")).ShouldBe([50]);

        async Task<IEnumerable<double>> Last(string metric) =>
            (await run.LastAsync($"max:streamspace.session.{metric}{{*}} by {{session}}.rollup(max, 1)")).Values;
    }

    [Fact]
    public async Task ALifeThatBeginsWhileTheOneBeforeEndsTakesNothingFromIt()
    {
        await using var run = await PluginRun.StartAsync();
        var old = Some.Session("s1", run.Now.AddSeconds(-1000));
        var next = Some.Session("s1", run.Now);
        run.Apply(old);
        await run.FlushAsync();
        run.Apply(next);
        await run.HandleAsync(Some.Ended(old, run.Now.AddSeconds(1)));
        await run.FlushAsync();
        await run.FlushAsync();
        (await run.PointsAsync("max:streamspace.session.duration{session:s1}.rollup(max, 1)"))
            .Values.ShouldHaveSingleItem()
            .ShouldBe([1010, 1011, 30]);
    }

    [Fact]
    public async Task TheLongestOfUsersWhoAreOneToDatadogIsTheLongestOfAll()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"sessionTagOnDuration":false}"""
        );
        run.Apply(
            Some.Session("s1", run.Now.AddSeconds(-90), user: "Bob"),
            Some.Session("s2", run.Now.AddSeconds(-50), user: "bob")
        );
        await run.FlushAsync();
        (await run.LastAsync("max:streamspace.session.duration{*} by {user}")).ShouldBe(new() { ["user:bob"] = 100 });
    }

    [Fact]
    public async Task NamesThatAreAlikeInAllThatDatadogKeepsOfThemStayApart()
    {
        await using var run = await PluginRun.StartAsync();
        var same = new string('n', 220);
        run.Apply(
            Some.Session("s1", run.Now, user: same + "a"),
            Some.Session("s2", run.Now, user: same + "b"),
            Some.Session("s3", run.Now, user: same + "b")
        );
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user}")).Values.ShouldBe([1, 2], ignoreOrder: true);
    }

    [Fact]
    public async Task ATagThatIsOnEverythingTellsNobodyApart()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"globalTags":["Template:Chrome"]}"""
        );
        run.Apply(Some.Session("s1", run.Now, template: null), Some.Session("s2", run.Now, template: "chrome"));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user}")).ShouldBe(new() { ["user:ada"] = 2 });
    }

    [Fact]
    public void TheSandboxSeesTagsAsTheyAreSentSoThatBothHaveOneIdentity()
    {
        var chance = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var tag = TagSet.Normalise("user:" + RandomName(chance));
            NameRules.Tag(tag, out _).ShouldBe(tag);
        }

        static string RandomName(Random chance) =>
            string.Concat(
                Enumerable
                    .Range(0, chance.Next(1, 120))
                    .Select(_ => new System.Text.Rune(NextScalar(chance)).ToString())
            );

        static int NextScalar(Random chance) =>
            chance.Next(4) switch
            {
                0 => chance.Next(0x20, 0x7F),
                1 => chance.Next(0xA0, 0x600),
                2 => chance.Next(0x600, 0xD800),
                _ => chance.Next(0x10000, 0x110000),
            };
    }
}
