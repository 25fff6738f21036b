using System.Net;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>Plugins come, go and misbehave while the host serves on.</summary>
public sealed class LifecycleTests
{
    private const string Echo = "api/plugins/streamspace-echo";
    private const string Config = "api/plugins/echo/config";

    [Fact]
    public async Task APluginIsSwitchedOffAndOnWithoutARestartAndStaysSoOverOne()
    {
        var settings = TestHost.NewSettings();
        await using (var host = await TestHost.StartAsync(settings))
        {
            (await PostAsync(host, $"{Echo}/disable")).StatusCode.ShouldBe(HttpStatusCode.OK);
            File.Exists(Path.Combine(settings.DataFolder, "streamspace-echo", "unloaded")).ShouldBeTrue();
            (await StateAsync(host)).ShouldBe("disabled");
            (await PostAsync(host, "api/plugins/echo/echo")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
            (await host.Client.GetAsync("readyz", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(
                HttpStatusCode.OK
            );
        }
        await using var again = await TestHost.StartAsync(settings);
        (await StateAsync(again)).ShouldBe("disabled");
        (await PostAsync(again, "api/plugins/echo/enable")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StateAsync(again)).ShouldBe("running");
        (await PostAsync(again, "api/plugins/echo/echo")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await again.UntilAsync("api/plugins/echo/status", s => (long)s["snapshots"]! == 1);
    }

    [Fact]
    public async Task APatchSwitchesAndConfiguresAtOnce()
    {
        await using var host = await TestHost.StartAsync();
        var patch = TestHost.Json("""{"enabled":true,"config":{"interval":30}}""");
        (await host.SendAsync(HttpMethod.Patch, Echo, host.Admin, patch)).StatusCode.ShouldBe(HttpStatusCode.OK);
        ((long?)(await host.ReadAsync(Config))["interval"]).ShouldBe(30);

        var invalid = TestHost.Json("""{"enabled":"yes","configuration":{}}""");
        var refused = await host.SendAsync(HttpMethod.Patch, Echo, host.Admin, invalid);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await TestHost.BodyAsync(refused))["errors"]!.AsArray().Count.ShouldBe(2);
        (await StateAsync(host)).ShouldBe("running");

        var half = TestHost.Json("""{"enabled":false,"config":{"interval":999}}""");
        var whole = await host.SendAsync(HttpMethod.Patch, Echo, host.Admin, half);
        whole.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await StateAsync(host)).ShouldBe("running");
    }

    [Theory]
    [InlineData("hang")]
    [InlineData("block")]
    public async Task APluginThatDoesNotComeBackIsIsolatedAndTheHostServesOn(string how)
    {
        var settings = TestHost.NewSettings() with { CallTimeout = TimeSpan.FromMilliseconds(300) };
        await using var host = await TestHost.StartAsync(settings);
        (await host.PutConfigAsync($$"""{"handle":"{{how}}"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var detail = "";
        // The demo brings a batch within a second or two.
        await Patience.Until(async () => await StateAsync(host) is "isolated");
        var document = await host.ReadAsync("api/plugins");
        detail = (string)document["plugins"]![0]!["detail"]!;
        detail.ShouldContain("taking facts");
        detail.ShouldContain("Restart");
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task OfTwoWhoSaveAtOnceTheSecondIsToldSo()
    {
        await using var host = await TestHost.StartAsync();
        var tag = (await host.GetAsync(Config)).Headers.ETag!.ToString();
        (await PutAsync(host, """{"interval":20}""", tag)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await PutAsync(host, """{"interval":30}""", tag)).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        ((long?)(await host.ReadAsync(Config))["interval"]).ShouldBe(20);
        // A secret that changes is a change, though nobody is shown it.
        var before = (await host.GetAsync(Config)).Headers.ETag!.ToString();
        (await PutAsync(host, """{"key":"another"}""", before)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync(Config)).Headers.ETag!.ToString().ShouldNotBe(before);
    }

    [Fact]
    public async Task TheSwitchIsAChangeToWhoeverSavesAConfigThatHeReadBefore()
    {
        await using var host = await TestHost.StartAsync();
        var on = (await host.GetAsync(Config)).Headers.ETag!.ToString();
        await PostAsync(host, $"{Echo}/disable");
        (await host.GetAsync(Config)).Headers.ETag!.ToString().ShouldNotBe(on);
        (await PutAsync(host, """{"interval":20}""", on)).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
    }

    [Fact]
    public async Task OfManyWhoSaveAtOnceOneIsTaken()
    {
        await using var host = await TestHost.StartAsync();
        var tag = (await host.GetAsync(Config)).Headers.ETag!.ToString();
        var answers = await Task.WhenAll(
            Enumerable.Range(20, 16).Select(interval => PutAsync(host, $$"""{"interval":{{interval}}}""", tag))
        );
        var taken = answers.Where(a => a.StatusCode == HttpStatusCode.OK).ShouldHaveSingleItem();
        answers.Count(a => a.StatusCode == HttpStatusCode.PreconditionFailed).ShouldBe(15);
        (await host.ReadAsync(Config)).ToJsonString().ShouldBe((await TestHost.BodyAsync(taken)).ToJsonString());
    }

    [Fact]
    public async Task APluginThatIsNotThereIsNotFound()
    {
        await using var host = await TestHost.StartAsync();
        (await PostAsync(host, "api/plugins/nobody/enable")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        var user = host.Tokens.Issue(Roles.User, TimeSpan.FromHours(1));
        (await host.SendAsync(HttpMethod.Post, $"{Echo}/disable", user)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await host.SendAsync(HttpMethod.Get, "api/plugins", user)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static Task<HttpResponseMessage> PostAsync(TestHost host, string path) =>
        host.SendAsync(HttpMethod.Post, path, host.Admin, TestHost.Json("{}"));

    private static Task<HttpResponseMessage> PutAsync(TestHost host, string json, string ifMatch)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, Config) { Content = TestHost.Json(json) };
        request.Headers.Authorization = new("Bearer", host.Admin);
        request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<string> StateAsync(TestHost host) =>
        (string)((JsonArray)(await host.ReadAsync("api/plugins"))["plugins"]!)[0]!["state"]!;
}
