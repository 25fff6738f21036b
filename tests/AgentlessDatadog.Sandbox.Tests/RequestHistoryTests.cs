namespace AgentlessDatadog.Sandbox.Tests;

public sealed class RequestHistoryTests
{
    [Fact]
    public async Task ARequestIsLoggedWithBothSizesAndWithoutItsKeys()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Protobuf.Payload(Protobuf.Series("a", 3, [(1, sandbox.Now)], [new string('t', 150)]));
        var wire = Encodings.Encode("zstd", body);
        await sandbox.PostAsync("/api/v2/series", wire, "application/x-protobuf", "zstd");
        await sandbox.GetAsync("/api/v1/validate");

        var reply = await sandbox.GetAsync("/sandbox/requests?path=/api/v2/series");

        var request = reply.Json.GetProperty("requests").EnumerateArray().ShouldHaveSingleItem();
        request.GetProperty("path").GetString().ShouldBe("/api/v2/series");
        request.GetProperty("status").GetInt32().ShouldBe(202);
        request.GetProperty("encoding").GetString().ShouldBe("zstd");
        request.GetProperty("wire_bytes").GetInt32().ShouldBe(wire.Length);
        request.GetProperty("raw_bytes").GetInt32().ShouldBe(body.Length);
        (await sandbox.GetAsync("/sandbox/requests")).Json.GetProperty("total").GetInt32().ShouldBe(2);
        reply.Text.ShouldNotContain(Secret.ApiKey);
    }

    [Fact]
    public async Task TheLogHoldsTheLastRequests()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Limits = o.Limits with { Requests = 3 } });
        for (var i = 0; i < 5; i++)
        {
            await sandbox.GetAsync($"/api/v1/events/{i}");
        }

        (await sandbox.GetAsync("/sandbox/requests"))
            .Json.GetProperty("requests")
            .EnumerateArray()
            .Select(request => request.GetProperty("path").GetString())
            .ShouldBe(["/api/v1/events/2", "/api/v1/events/3", "/api/v1/events/4"]);
    }

    [Fact]
    public async Task PayloadsAreKeptDecompressedWhenAskedForAndWithinTheirBound()
    {
        await using var sandbox = await TestSandbox.StartAsync(o =>
            o with
            {
                KeepPayloads = true,
                Limits = o.Limits with { PayloadBytes = 200 },
            }
        );
        var bodies = Enumerable
            .Range(0, 4)
            .Select(i => Protobuf.Payload(Protobuf.Series("a", 3, [(i, sandbox.Now)], [new string('t', 50)])))
            .ToArray();
        foreach (var body in bodies)
        {
            await sandbox.PostAsync("/api/v2/series", Encodings.Encode("zstd", body), "application/x-protobuf", "zstd");
        }

        var payloads = (await sandbox.GetAsync("/sandbox/payloads?path=/api/v2/*")).Json.GetProperty("payloads");

        payloads
            .EnumerateArray()
            .Select(payload => payload.GetProperty("body").GetBytesFromBase64())
            .ShouldBe(bodies[2..]);
        payloads[0].GetProperty("content_type").GetString().ShouldBe("application/x-protobuf");
    }

    [Fact]
    public async Task PayloadsAreNotKeptUnasked()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", 3, 1);

        (await sandbox.GetAsync("/sandbox/payloads")).Text.ShouldBe("""{"payloads":[]}""");
    }
}
