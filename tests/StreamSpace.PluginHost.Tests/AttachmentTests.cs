using System.Net;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Tests;

public sealed class AttachmentTests
{
    private const string Status = "api/plugins/echo/status";

    [Fact]
    public async Task WithNothingConfiguredTheDemoIsHeard()
    {
        await using var host = await TestHost.StartAsync();
        var status = await host.UntilAsync(Status, s => (long)s["demoEvents"]! > 0);
        ((long)status["demoEvents"]!).ShouldBe((long)status["events"]!);
        status["sources"]!.AsArray().Select(s => (string?)s!["name"]).ShouldBe(["demo"]);
        host.Console.ToString().ShouldContain("Attached to: The demo");
    }

    [Fact]
    public async Task NoInventedEventReachesAPluginThatSendsElsewhere()
    {
        await using var host = await TestHost.StartAsync();
        await host.UntilAsync(Status, s => (long)s["demoEvents"]! > 0);

        (await host.PutConfigAsync("""{"keepsLocal":false}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var stopped = await host.ReadAsync(Status);
        // Only the empty snapshot that makes it forget what it was told.
        ((long)stopped["snapshots"]!).ShouldBe(2);
        stopped["sources"]!.AsArray().ShouldBeEmpty();
        var document = await host.ReadAsync("api/status");
        ((bool)document["demo"]!).ShouldBeFalse();
        ((string?)document["attachedTo"]).ShouldNotBeNull().ShouldContain("NATS_URL");
        host.Console.ToString().ShouldContain("Attached to: Nothing. Run it in the cluster or set KUBECONFIG");

        (await host.PutConfigAsync("""{"keepsLocal":true}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var again = await host.UntilAsync(Status, s => (long)s["demoEvents"]! > (long)stopped["demoEvents"]!);
        ((long)again["snapshots"]!).ShouldBe(3);
    }

    [Fact]
    public async Task AnInventedStateThatWasUnderWayIsNotHandedOver()
    {
        using var lone = await LonePlugin.LoadAsync(TimeProvider.System);
        var plugin = lone.Plugin;
        var instance = plugin.Instance!;

        await ApplyAsync(isDemo: true);
        ((long)plugin.Status["events"]!).ShouldBe(1);
        await plugin.Configurator!.ChangeAsync(
            new JsonObject { ["keepsLocal"] = false },
            ifMatch: null,
            TestContext.Current.CancellationToken
        );
        await ApplyAsync(isDemo: true);
        ((long)plugin.Status["events"]!).ShouldBe(1);
        await ApplyAsync(isDemo: false);
        ((long)plugin.Status["events"]!).ShouldBe(2);
        await plugin.UnloadAsync(TestContext.Current.CancellationToken);

        ValueTask ApplyAsync(bool isDemo) =>
            new PluginSubscription(plugin, instance).ApplyAsync(
                new PlatformState { Users = 7, IsDemo = isDemo },
                TestContext.Current.CancellationToken
            );
    }

    [Fact]
    public async Task APluginThatSendsElsewhereFromTheStartNeverHearsTheDemo()
    {
        var settings = TestHost.NewSettings();
        await using (var host = await TestHost.StartAsync(settings))
        {
            await host.PutConfigAsync("""{"keepsLocal":false}""");
        }
        await using var again = await TestHost.StartAsync(settings);
        again.Console.ToString().ShouldContain("Attached to: Nothing. Run it in the cluster or set KUBECONFIG");
        ((long)(await again.ReadAsync(Status))["events"]!).ShouldBe(0);
    }

    [Fact]
    public async Task WithASourceConfiguredTheHostServesWhileItIsAwayAndShowsNoCredentials()
    {
        var (socket, port) = HostProcess.TakePort();
        socket.Dispose();
        var settings = TestHost.NewSettings() with
        {
            Environment = new Dictionary<string, string>
            {
                ["NATS_URL"] = $"nats://someone:{Secret.Wrong}@127.0.0.1:{port}",
                ["NATS_USER"] = "someone",
                ["NATS_PASSWORD"] = Secret.Wrong,
            },
        };
        await using var host = await TestHost.StartAsync(settings);
        var document = await host.ReadAsync("api/status");
        ((bool)document["demo"]!).ShouldBeFalse();
        document["sources"]!.AsArray().Select(s => (string?)s!["name"]).ShouldBe(["nats", "http"]);
        (host.Console + document.ToJsonString()).ShouldNotContain(Secret.Wrong);
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        host.Console.ToString().ShouldContain($"127.0.0.1:{port}");
    }

    [Fact]
    public async Task TheSandboxIsStartedAndToldToThePlugin()
    {
        var settings = TestHost.NewSettings() with { SandboxUrls = ["http://127.0.0.1:0"] };
        await using var host = await TestHost.StartAsync(settings);
        var sandbox = new Uri((string)(await host.ReadAsync("api/status"))["sandbox"]!);
        using var client = TestRun.NewClient(sandbox);
        var page = await client.GetAsync("/", TestContext.Current.CancellationToken);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ASandboxThatOthersCanReachAsksForASignIn()
    {
        var settings = TestHost.NewSettings() with { SandboxUrls = ["http://0.0.0.0:0"] };
        await using var host = await TestHost.StartAsync(settings);
        var sandbox = new Uri((string)(await host.ReadAsync("api/status"))["sandbox"]!);
        using var client = TestRun.NewClient(sandbox);
        var closed = await client.GetAsync("/", TestContext.Current.CancellationToken);
        closed.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        client.DefaultRequestHeaders.Authorization = new("Bearer", host.Admin);
        var open = await client.GetAsync("/", TestContext.Current.CancellationToken);
        open.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
