using System.Net;
using System.Text;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class EncodingTests
{
    private const string SeriesV1 = "/api/v1/series";
    private const string SeriesV2 = "/api/v2/series";
    private const string Distributions = "/api/v1/distribution_points";
    private const string Events = "/api/v1/events";

    private static readonly byte[] Empty = """{"series":[]}"""u8.ToArray();

    [Theory]
    [InlineData(SeriesV2, "deflate", 202)]
    [InlineData(SeriesV2, "gzip", 202)]
    [InlineData(SeriesV2, "zstd", 202)]
    [InlineData(SeriesV2, "zstd1", 202)]
    [InlineData(SeriesV1, "deflate", 202)]
    [InlineData(SeriesV1, "gzip", 202)]
    [InlineData(SeriesV1, "zstd", 415)]
    [InlineData(Distributions, "deflate", 202)]
    [InlineData(Distributions, "gzip", 415)]
    [InlineData(Distributions, "zstd", 415)]
    [InlineData(Events, "deflate", 415)]
    [InlineData(Events, "gzip", 415)]
    public async Task EachRouteTakesItsOwnEncodings(string path, string encoding, int status)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(path, Encodings.Encode(encoding, Empty), encoding: encoding);

        ((int)reply.Status).ShouldBe(status, reply.Text);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip, deflate")]
    public async Task AnUnknownEncodingIsRefused(string encoding)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var content = new ByteArrayContent(Empty);
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");

        var reply = await sandbox.SendAsync(new HttpRequestMessage(HttpMethod.Post, SeriesV2) { Content = content });

        reply.Status.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        reply.Error.ShouldContain("deflate, gzip, zstd, zstd1, none");
    }

    [Fact]
    public async Task DeflateMeansZlibFramingAndRawDeflateIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(SeriesV2, Encodings.RawDeflate(Empty), encoding: "deflate");

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldBe("Unable to decompress the body as deflate");
    }

    [Theory]
    [InlineData("deflate")]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task ABodyCutShortIsRefused(string encoding)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Encodings.Encode(encoding, Encoding.UTF8.GetBytes("""{"series":[]}""" + new string(' ', 5_000)));

        (await sandbox.PostAsync(SeriesV2, body[..(body.Length / 2)], encoding: encoding)).Status.ShouldBe(
            HttpStatusCode.BadRequest
        );
    }

    [Theory]
    [InlineData(SeriesV2, "application/json", 202)]
    [InlineData(SeriesV2, "application/json; charset=utf-8", 202)]
    [InlineData(SeriesV2, "text/json", 415)]
    [InlineData(SeriesV2, "application/x-www-form-urlencoded", 415)]
    [InlineData(SeriesV1, "application/json", 202)]
    [InlineData(SeriesV1, "text/json", 202)]
    [InlineData(SeriesV1, "application/x-protobuf", 415)]
    [InlineData(Distributions, "text/json", 202)]
    [InlineData(Distributions, "application/x-protobuf", 415)]
    [InlineData(Events, "text/plain", 415)]
    public async Task EachRouteTakesItsOwnMediaTypes(string path, string mediaType, int status)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        ((int)(await sandbox.PostAsync(path, Empty, mediaType)).Status).ShouldBe(status);
    }
}
