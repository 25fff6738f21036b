using System.Net;
using Shouldly;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>The sample of docs/plugins.md does what the guide says a plugin can do.</summary>
public sealed class SampleTests
{
    private static readonly string Samples = Path.Combine(AppContext.BaseDirectory, "samples");

    [Fact]
    public async Task TheSampleHearsEventsServesAnEndpointAndAStatus()
    {
        var settings = TestHost.NewSettings() with
        {
            PluginsFolder = Samples,
            Environment = new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
        };
        await using var host = await TestHost.StartAsync(settings);
        var events = $$$"""
            {"events":[
              {"event":"session.created","timestamp":"{{{host.Begun:O}}}","data":{"id":"a","template_name":"chrome"}},
              {"event":"session.created","timestamp":"{{{host.Begun:O}}}","data":{"id":"b","template_name":"chrome"}},
              {"event":"session.created","timestamp":"{{{host.Begun:O}}}","data":{"id":"c","template_name":"gimp"}}]}
            """;
        var posted = await host.SendAsync(HttpMethod.Post, "api/events", host.Admin, TestHost.Json(events));
        posted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var counts = await host.ReadAsync("api/plugins/session-counter/counts");
        ((int?)counts["chrome"], (int?)counts["gimp"]).ShouldBe((2, 1));
        ((int?)(await host.ReadAsync("api/plugins/session-counter/status"))["counted"]).ShouldBe(3);
        (await host.ReadAsync("openapi/v1.json"))["paths"]!["/api/plugins/session-counter/counts"].ShouldNotBeNull();
    }

    [Fact]
    public async Task TheSamplesCommandIsListedAndRuns()
    {
        string[] common = ["--plugins", Samples, "--data", TestRun.NewFolder()];
        await using var list = HostProcess.Start(["plugin", "session-counter", .. common]);
        (await list.EndAsync()).ShouldBe(0);
        list.Output.ShouldHaveSingleItem().ShouldStartWith("hello");
        await using var run = HostProcess.Start(["plugin", "session-counter", "hello", "Ada", .. common]);
        (await run.EndAsync()).ShouldBe(0);
        run.Output.ShouldBe(["Hello, Ada."]);
        await using var none = HostProcess.Start(["plugin", "session-counter", "sing", .. common]);
        (await none.EndAsync()).ShouldBe(1);
        none.Errors.ShouldHaveSingleItem().ShouldContain("it has hello");
    }

    [Fact]
    public async Task APluginWithoutCommandsSaysSo()
    {
        string[] arguments = ["plugin", "echo", "--plugins", TestHost.EchoFolder, "--data", TestRun.NewFolder()];
        await using var list = HostProcess.Start(arguments);
        (await list.EndAsync()).ShouldBe(0);
        list.Output.ShouldBe(["streamspace-echo has no commands."]);
    }
}
