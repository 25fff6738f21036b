using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A catalogue may say anything: what it says wrong is told, and costs nothing else.</summary>
public sealed class CatalogTests
{
    private const string Offers = "api/plugins/catalog";
    private const string Install = "api/plugins/catalog/streamspace-echo/install";
    private const string Sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Good =
        $$"""{"name":"streamspace-echo","version":"1.2.3","downloadUrl":"x.tar.gz","sha256":"{{Sha256}}"}""";

    public static TheoryData<string?, bool> NoCatalogs
    {
        get
        {
            var deep = string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40));
            string?[] texts = [null, "no JSON", "", "{}", "7", "null", $"[{Good}", deep, "[\"\u0001\"]"];
            var data = new TheoryData<string?, bool>();
            foreach (var text in texts)
            {
                data.Add(text, false);
                data.Add(text, true);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NoCatalogs))]
    public async Task WhatIsNoCatalogueIsToldSo(string? text, bool behindHttp)
    {
        await using var place = await CatalogPlace.OpenAsync(
            text is null ? null : Encoding.UTF8.GetBytes(text),
            behindHttp
        );
        await using var host = await TestHost.StartAsync(place.Settings);
        foreach (var answer in (HttpResponseMessage[])[await host.GetAsync(Offers), await PostAsync(host)])
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
            var detail = (string)(await TestHost.BodyAsync(answer))["detail"]!;
            detail.ShouldContain("catalog");
            detail.ShouldNotContain(Path.GetTempPath());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnInvalidEntryCostsOnlyItselfAndIsToldWithItsPlace(bool behindHttp)
    {
        var invalid = new (string Json, string Reason)[]
        {
            ("17", "not an object"),
            ("null", "not an object"),
            ("[]", "not an object"),
            ("{}", "name is missing"),
            (Good.Replace("\"streamspace-echo\"", "7", StringComparison.Ordinal), "name is missing"),
            (Good.Replace("1.2.3", "", StringComparison.Ordinal), "version is missing"),
            (Good.Replace("\"1.2.3\"", "1e999", StringComparison.Ordinal), "version is missing"),
            (Good.Replace("x.tar.gz", "", StringComparison.Ordinal), "downloadUrl"),
            (Good.Replace("x.tar.gz", "x\\u0000y", StringComparison.Ordinal), "downloadUrl"),
            (Good.Replace("x.tar.gz", "\\ud800", StringComparison.Ordinal), "not Unicode text"),
            (Good.Replace("\"name\"", "\"\\ud800\":1,\"name\"", StringComparison.Ordinal), "not Unicode text"),
            (Good.Replace("1.2.3", "\u00ff", StringComparison.Ordinal), "not Unicode text"),
            (Good.Replace(Sha256, "00", StringComparison.Ordinal), "sha256"),
            (Good.Replace(Sha256, new string('x', 64), StringComparison.Ordinal), "sha256"),
            (Good.Replace("\"sha256\"", "\"checksum\"", StringComparison.Ordinal), "sha256"),
        };
        var twice = Good.Replace(
            "{",
            """{"name":"other","tags":[{"a":1},null,7,"wanted"],"category":[],"description":9,""",
            StringComparison.Ordinal
        );
        var json = $"\u00ef\u00bb\u00bf[{string.Join(',', invalid.Select(f => f.Json))},{twice}]";
        // Letter by letter a byte, so that the one above 0x7f is not UTF-8.
        await using var place = await CatalogPlace.OpenAsync(Encoding.Latin1.GetBytes(json), behindHttp);
        await using var host = await TestHost.StartAsync(place.Settings);
        var offers = await host.ReadAsync(Offers);
        offers["plugins"]!.AsArray().ShouldHaveSingleItem()!["tags"]!.ToJsonString().ShouldBe("""["wanted"]""");
        var refused = offers["refused"]!.AsArray();
        refused.Select(r => (int)r!["index"]!).ShouldBe(Enumerable.Range(0, invalid.Length));
        refused.Zip(invalid).ShouldAllBe(pair => ((string)pair.First!["reason"]!).Contains(pair.Second.Reason));
        ((int?)offers["refusedCount"]).ShouldBe(invalid.Length);
    }

    [Fact]
    public async Task WhoWantsAnEntryThatCannotBeOfferedIsToldWhy()
    {
        var json = $"[{Good.Replace(Sha256, "", StringComparison.Ordinal)}]";
        await using var place = await CatalogPlace.OpenAsync(Encoding.UTF8.GetBytes(json), behindHttp: false);
        await using var host = await TestHost.StartAsync(place.Settings);
        var answer = await PostAsync(host);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        ((string)(await TestHost.BodyAsync(answer))["detail"]!).ShouldContain("entry 0: sha256");
    }

    public static TheoryData<string, bool> Nowhere
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (
                var url in (string[])
                    [
                        ".",
                        "..",
                        "../x",
                        "/etc/passwd",
                        "file:///etc/passwd",
                        "gopher://x/",
                        "http://[",
                        "http://127.0.0.1:1/x",
                        "//",
                        "x.tar.gz",
                        new string('x', 5000),
                    ]
            )
            {
                data.Add(url, false);
                data.Add(url, true);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Nowhere))]
    public async Task AnArchiveThatIsNotThereOrLiesOutsideIsToldSo(string url, bool behindHttp)
    {
        var json = $"[{Good.Replace("x.tar.gz", url, StringComparison.Ordinal)}]";
        await using var place = await CatalogPlace.OpenAsync(Encoding.UTF8.GetBytes(json), behindHttp);
        await using var host = await TestHost.StartAsync(place.Settings);
        var answer = await PostAsync(host);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        var detail = (string)(await TestHost.BodyAsync(answer))["detail"]!;
        detail.ShouldNotContain(Path.GetTempPath());
        Directory.GetFileSystemEntries(place.Settings.PluginsFolder).ShouldBeEmpty();
    }

    [Fact]
    public async Task APluginIsInstalledFromACatalogueBehindHttp()
    {
        var market = new Market();
        market.Offer(Market.Built("plugins/streamspace-echo"), "1.2.3");
        await using var place = await CatalogPlace.OpenAsync(http =>
            http.Response.SendFileAsync(Path.Combine(market.Catalog, (string)http.Request.RouteValues["file"]!))
        );
        await using var host = await TestHost.StartAsync(place.Settings);
        (await PostAsync(host)).StatusCode.ShouldBe(HttpStatusCode.Created);
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["state"]).ShouldBe("running");
    }

    [Fact]
    public async Task ACatalogueThatIsDownIsToldSo()
    {
        await using var host = await TestHost.StartAsync(CatalogPlace.Of("http://127.0.0.1:1"));
        (await host.GetAsync(Offers)).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        (await PostAsync(host)).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Fact]
    public async Task ACatalogueThatDripsForEverIsNotWaitedFor()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        await using var place = await CatalogPlace.OpenAsync(async http =>
        {
            await http.Response.WriteAsync("[");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        });
        await using var host = await TestHost.StartAsync(place.Settings, clock);
        var asked = host.GetAsync(Offers);
        await clock.AdvanceUntilAsync(asked);
        (await asked).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        ((string)(await TestHost.BodyAsync(await asked))["detail"]!).ShouldContain("in time");
    }

    private static Task<HttpResponseMessage> PostAsync(TestHost host) =>
        host.SendAsync(HttpMethod.Post, Install, host.Admin, TestHost.Json("{}"));

    /// <summary>A catalogue in a folder, or behind http.</summary>
    private sealed class CatalogPlace(HostSettings settings, WebApplication? server) : IAsyncDisposable
    {
        public HostSettings Settings => settings;

        public static HostSettings Of(string location) =>
            TestHost.NewSettings() with
            {
                PluginsFolder = TestRun.NewFolder(),
                Environment = new Dictionary<string, string> { ["CATALOG_URL"] = location },
            };

        /// <param name="catalog">What <c>catalog.json</c> holds; null for none.</param>
        /// <param name="behindHttp">Else in a folder.</param>
        public static async Task<CatalogPlace> OpenAsync(byte[]? catalog, bool behindHttp)
        {
            if (behindHttp)
            {
                return await OpenAsync(http =>
                {
                    var isThere = catalog is not null && http.Request.RouteValues["file"] is "catalog.json";
                    http.Response.StatusCode = isThere ? 200 : 404;
                    return isThere ? http.Response.Body.WriteAsync(catalog).AsTask() : Task.CompletedTask;
                });
            }
            var folder = TestRun.NewFolder();
            if (catalog is not null)
            {
                await File.WriteAllBytesAsync(Path.Combine(folder, "catalog.json"), catalog);
            }
            return new CatalogPlace(Of(folder), null);
        }

        public static async Task<CatalogPlace> OpenAsync(RequestDelegate catalog)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var server = builder.Build();
            server.MapGet("/offers/{file}", catalog);
            await server.StartAsync();
            return new CatalogPlace(Of($"{server.Urls.Single()}/offers"), server);
        }

        public ValueTask DisposeAsync() => server?.DisposeAsync() ?? default;
    }
}
