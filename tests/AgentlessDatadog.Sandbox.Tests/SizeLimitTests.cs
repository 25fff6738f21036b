using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace AgentlessDatadog.Sandbox.Tests;

// A test of it counts what the whole process allocates.
[Collection(nameof(CostTests))]
public sealed class SizeLimitTests
{
    private const int WireV2 = 512_000;
    private const int RawV2 = 5_242_880;
    private const int WireV1 = 3_200_000;
    private const int RawV1 = 62_914_560;

    [Theory]
    [InlineData("/api/v2/series", WireV2)]
    [InlineData("/api/v1/series", WireV1)]
    [InlineData("/api/v1/distribution_points", WireV1)]
    public async Task TheLastByteWithinTheWireLimitIsTakenAndTheNextIsNot(string path, int limit)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PostAsync(path, Padded(limit))).Status.ShouldBe(HttpStatusCode.Accepted);
        var reply = await sandbox.PostAsync(path, Padded(limit + 1));

        reply.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        reply.Error.ShouldContain($"{limit} bytes");
    }

    [Theory]
    [InlineData("/api/v2/series", "zstd", RawV2)]
    [InlineData("/api/v2/series", "deflate", RawV2)]
    [InlineData("/api/v2/series", "gzip", RawV2)]
    [InlineData("/api/v1/series", "deflate", RawV1)]
    public async Task TheLastByteWithinTheRawLimitIsTakenAndTheNextIsNot(string path, string encoding, int limit)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PostAsync(path, Encodings.Encode(encoding, Padded(limit)), encoding: encoding)).Status.ShouldBe(
            HttpStatusCode.Accepted
        );
        (
            await sandbox.PostAsync(path, Encodings.Encode(encoding, Padded(limit + 1)), encoding: encoding)
        ).Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task AChunkedBodyWithoutALengthIsHeldToTheWireLimit()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v2/series")
        {
            Content = new StreamContent(new MemoryStream(Padded(WireV2 + 1))),
        };
        request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");

        (await sandbox.SendAsync(request)).Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task ABombIsNotUnpackedBeyondTheLimit()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var bomb = Encodings.Encode("zstd", new byte[1 << 27]);
        bomb.Length.ShouldBeLessThan(WireV2);
        var before = GC.GetTotalAllocatedBytes();

        (await sandbox.PostAsync("/api/v2/series", bomb, encoding: "zstd")).Status.ShouldBe(
            HttpStatusCode.RequestEntityTooLarge
        );

        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(64L << 20);
    }

    [Fact]
    public async Task AFrameThatAsksForAHugeWindowIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        // Magic, a descriptor without a content size, a window of 2^31 bytes, one empty last block.
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 21 << 3, 0x01, 0x00, 0x00];

        (await sandbox.PostAsync("/api/v2/series", frame, encoding: "zstd")).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task JsonNestedTooDeepIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync("/api/v2/series", new string('[', 100_000));

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task AnEmptyBodyIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PostAsync("/api/v2/series", [], "application/x-protobuf")).Error.ShouldBe("Payload is empty");
    }

    [Fact]
    public async Task RandomBytesNeverDoMoreThanBeRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        string[] types = ["application/json", "application/x-protobuf"];
        string?[] encodings = [null, "deflate", "gzip", "zstd"];
        for (var i = 0; i < 200; i++)
        {
            var body = SHA512.HashData(Encoding.UTF8.GetBytes($"seed {i}"))[..(1 + (i % 64))];

            var reply = await sandbox.PostAsync("/api/v2/series", body, types[i % 2], encodings[i % 4]);

            reply.Status.ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.Accepted);
        }
    }

    /// <summary>A valid body without series, filled up with blanks.</summary>
    private static byte[] Padded(int length)
    {
        var body = new byte[length];
        body.AsSpan().Fill((byte)' ');
        """{"series":[]}"""u8.CopyTo(body);
        return body;
    }
}
