using System.IO.Compression;
using System.Net;
using System.Text;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;
using StreamSpace.PluginHost.Web;
using ZstdSharp;

namespace StreamSpace.PluginHost.Tests;

public sealed class BadInputTests
{
    private static readonly string Deep = string.Concat(Enumerable.Repeat("""{"a":""", 40)) + "1" + new string('}', 40);

    [Theory]
    [InlineData("GET", "api/nothing", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "api/plugins/echo/config", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "api/plugins/echo/status", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "nothing", HttpStatusCode.NotFound)]
    public async Task WhatIsNotThereIsSaidAsAProblem(string method, string path, HttpStatusCode status)
    {
        await using var host = await TestHost.StartAsync();
        var response = await host.SendAsync(new HttpMethod(method), path, host.Admin);
        await IsProblemAsync(response, status);
    }

    [Fact]
    public async Task ABodyThatIsNotAJsonObjectIsRefusedAndNothingChanges()
    {
        await using var host = await TestHost.StartAsync();
        var before = (await host.ReadAsync("api/plugins/echo/config")).ToJsonString();
        var refused = new (HttpContent Body, HttpStatusCode Status)[]
        {
            (TestHost.Json("""{"interval":"""), HttpStatusCode.BadRequest),
            (TestHost.Json("""["interval"]"""), HttpStatusCode.BadRequest),
            (TestHost.Json(""), HttpStatusCode.BadRequest),
            (TestHost.Json(Deep), HttpStatusCode.BadRequest),
            (TestHost.Json("""{"interval":20,"interval":30}"""), HttpStatusCode.BadRequest),
            (
                new StringContent("""{"interval":20}""", Encoding.UTF8, "text/plain"),
                HttpStatusCode.UnsupportedMediaType
            ),
            (new ByteArrayContent([1]), HttpStatusCode.UnsupportedMediaType),
            (
                TestHost.Json($$"""{"interval":20,"key":"{{new string('k', RequestLimits.Largest)}}"}"""),
                HttpStatusCode.RequestEntityTooLarge
            ),
        };
        foreach (var (body, status) in refused)
        {
            await IsProblemAsync(
                await host.SendAsync(HttpMethod.Put, "api/plugins/echo/config", host.Admin, body),
                status
            );
        }
        (await host.ReadAsync("api/plugins/echo/config")).ToJsonString().ShouldBe(before);
    }

    [Theory]
    [InlineData("gzip", HttpStatusCode.OK)]
    [InlineData("br", HttpStatusCode.OK)]
    [InlineData("deflate", HttpStatusCode.OK)]
    [InlineData("zstd", HttpStatusCode.OK)]
    [InlineData("GZip", HttpStatusCode.OK)]
    [InlineData("identity", HttpStatusCode.OK)]
    [InlineData("compress", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("gzip, gzip", HttpStatusCode.UnsupportedMediaType)]
    public async Task ACodedBodyIsReadAsWhatItWasOrRefusedWithWhatIsTaken(string coding, HttpStatusCode status)
    {
        await using var host = await TestHost.StartAsync();
        var answer = await PutCodedAsync(host, coding, Coded(coding, """{"interval":20}"""));
        answer.StatusCode.ShouldBe(status);
        ((int?)(await host.ReadAsync("api/plugins/echo/config"))["interval"] == 20).ShouldBe(
            status is HttpStatusCode.OK
        );
        if (status is HttpStatusCode.UnsupportedMediaType)
        {
            answer.Headers.GetValues("Accept-Encoding").ShouldBe(["gzip, br, deflate, zstd"]);
            ((string?)(await TestHost.BodyAsync(answer))["detail"]).ShouldNotBeNull().ShouldContain("gzip, br");
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    public async Task ACodedBodyIsHeldToTheBoundOfWhatItUnpacksToAndToItsCoding(string coding)
    {
        await using var host = await TestHost.StartAsync();
        // A few kilobytes on the wire.
        var bomb = Coded(coding, $$"""{"interval":20,"key":"{{new string('k', RequestLimits.Largest)}}"}""");
        bomb.Length.ShouldBeLessThan(10_000);
        (await PutCodedAsync(host, coding, bomb)).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await PutCodedAsync(host, coding, Encoding.UTF8.GetBytes("""{"interval":20}"""))).StatusCode.ShouldBe(
            HttpStatusCode.BadRequest
        );
        (await PutCodedAsync(host, coding, Coded(coding, """{"interval":20}"""))).StatusCode.ShouldBe(
            HttpStatusCode.OK,
            "and the room for bodies is given back"
        );
    }

    [Fact]
    public async Task NobodysCodedBodyIsUnpackedBeforeHeIsKnown()
    {
        await using var host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                Environment = new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
            }
        );
        using var body = new ByteArrayContent(Coded("gzip", "{}"));
        body.Headers.ContentType = new("application/json");
        body.Headers.ContentEncoding.Add("gzip");
        body.Headers.Add("X-StreamSpace-Signature", new string('0', 64));
        var answer = await host.SendAsync(HttpMethod.Post, "api/events", token: null, body);
        answer.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    private static Task<HttpResponseMessage> PutCodedAsync(TestHost host, string coding, byte[] coded)
    {
        var body = new ByteArrayContent(coded);
        body.Headers.ContentType = new("application/json");
        body.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        return host.SendAsync(HttpMethod.Put, "api/plugins/echo/config", host.Admin, body);
    }

    private static byte[] Coded(string coding, string text)
    {
        using var packed = new MemoryStream();
        using (
            Stream packing = coding.ToLowerInvariant() switch
            {
                "br" => new BrotliStream(packed, CompressionMode.Compress),
                "deflate" => new ZLibStream(packed, CompressionMode.Compress),
                "zstd" => new CompressionStream(packed),
                "gzip" => new GZipStream(packed, CompressionMode.Compress),
                _ => packed,
            }
        )
        {
            packing.Write(Encoding.UTF8.GetBytes(text));
        }
        return packed.ToArray();
    }

    [Theory]
    [InlineData("""{"key":"\ud800"}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"tags":["a:b","\udc00\ud800"]}""")]
    [InlineData("""{"tags":"[\"\\ud800\"]"}""")]
    // Sent as a byte that is not UTF-8.
    [InlineData("{\"key\":\"\u00ff\"}")]
    public async Task AConfigWithAStringThatIsNoTextIsRefusedAndNothingChanges(string json)
    {
        await using var host = await TestHost.StartAsync();
        var before = (await host.ReadAsync("api/plugins/echo/config")).ToJsonString();
        await IsProblemAsync(await SendAsync(HttpMethod.Put, "config", json), HttpStatusCode.BadRequest);
        var patch = $$"""{"config":{{json}}}""";
        await IsProblemAsync(await SendAsync(HttpMethod.Patch, "", patch), HttpStatusCode.BadRequest);
        (await host.ReadAsync("api/plugins/echo/config")).ToJsonString().ShouldBe(before);

        Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string text)
        {
            var body = new ByteArrayContent(Encoding.Latin1.GetBytes(text));
            body.Headers.ContentType = new("application/json");
            return host.SendAsync(method, $"api/plugins/echo/{path}", host.Admin, body);
        }
    }

    [Fact]
    public async Task AByteOrderMarkBeforeAConfigDoesNotMatter()
    {
        await using var host = await TestHost.StartAsync();
        (await host.PutConfigAsync("\uFEFF" + """{"interval":20}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ABodyOverTheBoundIsRefusedForPluginsToo()
    {
        await using var host = await TestHost.StartAsync();
        var fits = await host.SendAsync(
            HttpMethod.Post,
            "api/plugins/echo/echo",
            host.Admin,
            Text(RequestLimits.Largest)
        );
        fits.StatusCode.ShouldBe(HttpStatusCode.OK);
        var over = await host.SendAsync(
            HttpMethod.Post,
            "api/plugins/echo/echo",
            host.Admin,
            Text(RequestLimits.Largest + 1)
        );
        await IsProblemAsync(over, HttpStatusCode.RequestEntityTooLarge);

        static StringContent Text(int length) => TestHost.Json(new string('x', length));
    }

    [Fact]
    public async Task ABodyOfUnknownLengthIsBoundedToo()
    {
        await using var host = await TestHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Put, "api/plugins/echo/config")
        {
            Content = TestHost.Json("[" + new string(' ', 2 * RequestLimits.Largest)),
        };
        request.Headers.Authorization = new("Bearer", host.Admin);
        request.Headers.TransferEncodingChunked = true;
        // So that the sender listens before it has sent all.
        request.Headers.ExpectContinue = true;
        try
        {
            var response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
            await IsProblemAsync(response, HttpStatusCode.RequestEntityTooLarge);
        }
        catch (HttpRequestException)
        {
            // The connection was closed on it: refused as well.
        }
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AProblemIsJsonWhateverTheCallerAccepts()
    {
        await using var host = await TestHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/status");
        request.Headers.Accept.ParseAdd("text/html");
        var response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await IsProblemAsync(response, HttpStatusCode.Unauthorized);
    }

    private static async Task IsProblemAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        response.StatusCode.ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = await TestHost.BodyAsync(response);
        ((int?)problem["status"]).ShouldBe((int)status);
        ((string?)problem["detail"]).ShouldNotBeNullOrWhiteSpace();
    }
}
