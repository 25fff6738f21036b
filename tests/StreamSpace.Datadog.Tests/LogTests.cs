using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What happens on the platform, and what the host says of itself, as log entries.</summary>
public sealed class LogTests
{
    private const string On = """{"site":"sandbox","metricsInterval":10,"enableLogs":true}""";

    [Fact]
    public async Task EachTransitionOfASessionIsOneEntryInTheTraceThatTellsOfIt()
    {
        await using var run = await PluginRun.StartAsync(On);
        var asked = run.Now.AddMinutes(-10);
        await run.HandleAsync(Some.Life("s1", asked));
        await run.FlushAsync();

        var entries = (await run.LogsAsync()).FindAll(entry => Attribute(entry, "session") == "s1");
        entries
            .Select(entry => Attribute(entry, "evt.name"))
            .ShouldBe([
                "session.requested",
                "session.ready",
                "session.asleep",
                "session.awake",
                "session.failed",
                "session.ended",
            ]);
        entries.ShouldAllBe(entry => Attribute(entry, "user") == "ada" && Attribute(entry, "template") == "chrome");
        entries.Select(entry => Attribute(entry, "running_seconds")).ShouldBe(["0", "8", "60", "60", "90", "90"]);
        entries[1]
            .GetProperty("message")
            .GetString()
            .ShouldBe("Session s1 of template chrome for ada is ready after 8 s.");
        Text(entries[1], "service").ShouldBe("streamspace");
        var failed = entries[4];
        Text(failed, "status").ShouldBe("error");
        Attribute(failed, "reason").ShouldBe("other");
        Attribute(failed, "error.message").ShouldBe("out of memory");

        var roots = (await run.SpansAsync()).FindAll(span => Text(span, "parent_id") == "0");
        entries
            .Select(entry => roots.Single(root => Text(root, "span_id") == Attribute(entry, "dd.span_id")))
            .Select(root => Text(root, "operation_name"))
            .ShouldBe([
                "streamspace.session.start",
                "streamspace.session.start",
                "streamspace.session.run",
                "streamspace.session.sleep",
                "streamspace.session.run",
                "streamspace.session.end",
            ]);
        entries.ShouldAllBe(entry => roots.Exists(root => Text(root, "trace_id") == Attribute(entry, "dd.trace_id")));
    }

    [Fact]
    public async Task WhatAUserDoesIsOneEntryEachWithTheUserAsTheOperatorLetsHimLeave()
    {
        await using var run = await PluginRun.StartAsync(On.Replace("true", """true,"userTag":"id" """));
        var eve = new PlatformUser("7", "eve");
        await run.HandleAsync(
            new UserCreated(eve, run.Now) { Id = "1" },
            new UserLoggedIn(eve, run.Now) { Id = "2" },
            new UserLoggedOut(PlatformUser.Unknown, run.Now) { Id = "3" },
            new UserDeleted(eve, run.Now) { Id = "4" }
        );
        await run.FlushAsync();
        var entries = (await run.LogsAsync()).FindAll(entry => Attribute(entry, "evt.name").StartsWith("user."));
        entries
            .Select(entry => $"{Attribute(entry, "evt.name")} {Attribute(entry, "user")}")
            .ShouldBe(["user.created 7", "user.logged_in 7", "user.logged_out ", "user.deleted 7"], ignoreOrder: true);
        JsonSerializer.Serialize(entries).ShouldNotContain("eve");
    }

    [Fact]
    public async Task WhatTheHostAndThePluginLogIsSentWithoutSecretsAndStormsAreFolded()
    {
        await using var run = await PluginRun.StartAsync(On);
        var host = run.Host.LoggerOf("StreamSpace.PluginHost");
        // What a plugin must not be told at all is not searched for here.
        host.LogWarning("Cannot connect with {Url}", "postgres://streamspace:s3cr3t-word@db/streamspace");
        host.LogDebug("Not said");
        for (var i = 0; i < 500; i++)
        {
            host.LogInformation("Storm {Number}", i);
        }
        await run.FlushAsync(60);
        await run.UnloadAsync();
        var entries = await run.LogsAsync();
        var text = JsonSerializer.Serialize(entries);
        text.ShouldContain("[redacted]");
        text.ShouldNotContain("s3cr3t-word");
        text.ShouldNotContain("Not said");
        entries.Count(entry => Message(entry).StartsWith("Storm")).ShouldBe(60);
        entries.Select(entry => Attribute(entry, "folded")).Where(folded => folded != "").ShouldBe(["440"]);
        entries.ShouldContain(entry => Message(entry).StartsWith("Datadog plugin unloaded"));
    }

    [Theory]
    [InlineData("[]", "streamspace")]
    [InlineData("""["env:dev","Service:My Desktops"]""", "my_desktops")]
    public async Task WhatTheHostSaysOfItselfAndWhatItTellsOfSessionsBearOneService(string tags, string service)
    {
        await using var run = await PluginRun.StartAsync(On.Replace("true", $"true,\"globalTags\":{tags}"));
        run.Host.LoggerOf("StreamSpace.PluginHost").LogInformation("Said of itself");
        await run.HandleAsync(Some.Life("s1", run.Now.AddMinutes(-10)));
        await run.FlushAsync();
        await run.UnloadAsync();
        var entries = await run.LogsAsync();
        entries.ShouldContain(entry => Message(entry) == "Said of itself");
        entries.ShouldContain(entry => Attribute(entry, "session") == "s1");
        entries.ShouldAllBe(entry => Text(entry, "service") == service);
        (await run.SpansAsync())
            .Select(span => Text(span, "service"))
            .Distinct()
            .ShouldBe([service, $"{service}-sessions"], ignoreOrder: true);
    }

    [Fact]
    public async Task WithLogsOffNobodyListensAndNothingIsKeptForLater()
    {
        await using var run = await PluginRun.StartAsync();
        run.Host.Listeners.ShouldBeEmpty();
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now)), Some.Login("ada", run.Now));
        (await run.ConfigureAsync(On)).ShouldBeEmpty();
        run.Host.Listeners.ShouldHaveSingleItem();
        await run.FlushAsync();
        (await run.LogsAsync()).ShouldNotContain(entry => Attribute(entry, "evt.name") != "");

        (await run.ConfigureAsync(On.Replace("10,", "10,\"enabled\":false,"))).ShouldBeEmpty();
        run.Host.Listeners.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACopyThatIsOverListensNoMore(bool isUnloaded)
    {
        await using var run = await PluginRun.StartAsync(On);
        run.Host.LoggerOf("StreamSpace.PluginHost").LogInformation("Said to the first copy");
        await run.ReplaceAsync(isUnloaded);
        run.Host.Listeners.ShouldBeEmpty();
    }

    private static string Message(JsonElement entry) => Text(entry, "message");

    private static string Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static string Attribute(JsonElement entry, string name) => Text(entry.GetProperty("attributes"), name);
}
