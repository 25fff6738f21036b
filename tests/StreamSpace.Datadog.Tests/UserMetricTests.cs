using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What is said of users, and in which tags.</summary>
public sealed class UserMetricTests
{
    [Fact]
    public async Task UsersAreCountedAndTheirTotalIsAGauge()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(
            new UserCreated(new PlatformUser("7", "eve"), run.Now) { Id = "user/7" },
            Some.Login("ada", run.Now),
            Some.Login("ada", run.Now.AddSeconds(1)),
            new UserLoggedOut(PlatformUser.Unknown, run.Now) { Id = "logout/1" }
        );
        run.Plugin.Apply(new PlatformState { Users = 41 });
        await run.FlushAsync();
        (await run.SumAsync("sum:streamspace.user.login{*} by {user}.as_count()")).ShouldBe(new() { ["user:ada"] = 2 });
        (await run.SumAsync("sum:streamspace.user.created{user:eve}.as_count()")).Values.ShouldBe([1]);
        (await run.SumAsync("sum:streamspace.user.logout{*}.as_count()")).Values.ShouldBe([1]);
        (await run.LastAsync("max:streamspace.users.total{*}")).Values.ShouldBe([41]);
        (await run.GetAsync("/api/v1/metrics/streamspace.users.total"))
            .GetProperty("type")
            .GetString()
            .ShouldBe("gauge");
    }

    [Theory]
    [InlineData("name", "user:ada")]
    [InlineData("id", "user:id-of-ada")]
    [InlineData("none", "")]
    public async Task TheUserTagIsTheOperatorsChoice(string userTag, string expected)
    {
        await using var run = await PluginRun.StartAsync(
            $$"""{"site":"sandbox","metricsInterval":10,"userTag":"{{userTag}}"}"""
        );
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now)));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user}")).Keys.ShouldBe([expected]);
        (await run.EventsAsync())
            .Count(e => e.ToString().Contains("ada"))
            .ShouldBe(userTag == "name" || userTag == "id" ? 1 : 0);
    }

    [Fact]
    public async Task WhatIsUnknownIsLeftOutOfTheTags()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now, user: null, template: null)));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user,template}")).Keys.ShouldBe([""]);
        (await run.GetAsync("/sandbox/dropped")).ToString().ShouldNotContain("nil");
    }

    [Fact]
    public async Task WithOneGlobalTagNoSeriesCarriesTheTagsOfAnother()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"globalTags":["env:production"]}"""
        );
        var events = Enumerable
            .Range(0, 40)
            .Select(i => (PlatformFact)Some.Created(Some.Session($"s{i}", run.Now, user: $"u{i}", template: $"t{i}")));
        await run.HandleAsync([.. events]);
        await run.FlushAsync();
        var created = await run.SumAsync(
            "sum:streamspace.session.created{env:production} by {user,template}.as_count()"
        );
        created.Keys.ShouldBe(Enumerable.Range(0, 40).Select(i => $"template:t{i},user:u{i}"), ignoreOrder: true);
        created.Values.ShouldAllBe(v => v == 1);
    }

    [Fact]
    public async Task TwoNamesThatDifferOnlyBeyondDatadogsBoundStayTwo()
    {
        await using var run = await PluginRun.StartAsync();
        var same = new string('n', 220);
        await run.HandleAsync(Some.Login(same + "a", run.Now), Some.Login(same + "b", run.Now));
        await run.FlushAsync();
        var counts = await run.SumAsync("sum:streamspace.user.login{*} by {user}.as_count()");
        counts.Count.ShouldBe(2);
        counts.Keys.ShouldAllBe(tag => tag.Length == 200 && tag.StartsWith("user:nnn"));
    }

    [Fact]
    public async Task NoNameFromThePlatformPagesAnyoneOrDrawsInAnEvent()
    {
        const string hostile = "@pagerduty-ops %%%\n# x\u202E <b>[y](https://evil.example)";
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session($"s-{hostile}", run.Now, user: hostile, template: hostile);
        await run.HandleAsync(
            Some.Created(session),
            Some.Ended(session, run.Now.AddMinutes(1)),
            Some.Login(hostile, run.Now),
            new UserCreated(new PlatformUser(hostile, hostile), run.Now) { Id = "user/8" },
            new UserLoggedOut(new PlatformUser(hostile, hostile), run.Now) { Id = "logout/8" }
        );
        await run.FlushAsync();
        await run.ShippedAsync();
        var told = (await run.EventsAsync()).FindAll(e => e.ToString().Contains("pagerduty-ops"));
        told.Count.ShouldBe(5);
        foreach (var field in told.SelectMany(e => new[] { "title", "text", "aggregation_key" }.Select(e.GetProperty)))
        {
            field.GetString()!.IndexOfAny(['@', '%', '#', '\n', '\u202E', '<', '[']).ShouldBe(-1);
        }
    }
}
