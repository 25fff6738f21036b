using System.Globalization;
using System.Net;
using System.Text;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class TraceTests
{
    private const string Path = "/v1/traces";

    [Theory]
    [InlineData("protobuf", null)]
    [InlineData("protobuf", "gzip")]
    [InlineData("protobuf", "zstd")]
    [InlineData("json", null)]
    [InlineData("json", "gzip")]
    public async Task ASpanIsReadBackAsItWasSentInEitherEncoding(string form, string? encoding)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var span = new OtlpSpan
        {
            Start = sandbox.Now - 5,
            Kind = 2,
            Error = "no room",
            Attributes =
            [
                ("operation.name", "http.server.request"),
                ("resource.name", "GET /cart/{id}"),
                ("span.type", "web"),
                ("http.response.status_code", 503),
                ("cart.total", 12.5),
                ("cart.is_new", true),
                ("cart.items", new[] { "a", "b" }),
            ],
        };
        var body =
            form == "json" ? Encoding.UTF8.GetBytes(OtlpSpan.Json("Shop", span)) : OtlpSpan.Request("Shop", span);

        var reply = await sandbox.PostAsync(
            Path,
            encoding is null ? body : Encodings.Encode(encoding, body),
            form == "json" ? "application/json" : "application/x-protobuf",
            encoding
        );

        reply.Status.ShouldBe(HttpStatusCode.Accepted, reply.Text);
        reply.Text.ShouldBe(form == "json" ? "{}" : "");
        reply.ContentType.ShouldBe(form == "json" ? "application/json" : "application/x-protobuf");
        var found = (await sandbox.SearchAsync("spans", "service:shop")).ShouldHaveSingleItem();
        found.GetProperty("service").GetString().ShouldBe("shop");
        found.GetProperty("operation_name").GetString().ShouldBe("http.server.request");
        found.GetProperty("resource_name").GetString().ShouldBe("GET /cart/{id}");
        found.GetProperty("type").GetString().ShouldBe("web");
        found.GetProperty("env").GetString().ShouldBe("test");
        found.GetProperty("host").GetString().ShouldBe("node-1");
        found.GetProperty("trace_id").GetString().ShouldBe("72623859790382856");
        found.GetProperty("span_id").GetString().ShouldBe("1");
        found.GetProperty("parent_id").GetString().ShouldBe("0");
        found.GetProperty("start_timestamp").GetDateTimeOffset().ToUnixTimeSeconds().ShouldBe(sandbox.Now - 5);
        var custom = found.GetProperty("custom");
        custom.GetProperty("duration").GetInt64().ShouldBe(250_000_000);
        custom.GetProperty("http").GetProperty("response").GetProperty("status_code").GetInt32().ShouldBe(503);
        custom.GetProperty("cart").GetProperty("total").GetDouble().ShouldBe(12.5);
        custom.GetProperty("cart").GetProperty("is_new").GetBoolean().ShouldBeTrue();
        custom.GetProperty("cart").GetProperty("items").GetString().ShouldBe("""["a","b"]""");
        custom.GetProperty("error").GetProperty("message").GetString().ShouldBe("no room");
        custom.GetProperty("span").GetProperty("kind").GetString().ShouldBe("server");
    }

    [Fact]
    public async Task WhatOtlpDoesNotSayHasDatadogsNames()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostSpansAsync(OtlpSpan.RequestOf([], new OtlpSpan { Start = sandbox.Now, Name = "PUT /a b" }));

        var found = (await sandbox.SearchAsync("spans", "*")).ShouldHaveSingleItem();

        found.GetProperty("service").GetString().ShouldBe("unnamed-service");
        found.GetProperty("operation_name").GetString().ShouldBe("PUT__a_b");
        found.GetProperty("resource_name").GetString().ShouldBe("PUT /a b");
        found.GetProperty("env").GetString().ShouldBe("none");
    }

    public static TheoryData<string, string> BadIds =>
        new()
        {
            { "00000000000000000000000000000000", "0000000000000001" },
            { "0102030405060708", "0000000000000001" },
            { "", "0000000000000001" },
            { "01020304050607080102030405060708ff", "0000000000000001" },
            { "01020304050607080102030405060708", "0000000000000000" },
            { "01020304050607080102030405060708", "00000001" },
            { "01020304050607080102030405060708", "" },
        };

    [Theory]
    [MemberData(nameof(BadIds))]
    public async Task ARequestWithABadIdIsRefusedWholeAndNamesTheSpan(string traceId, string spanId)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var good = new OtlpSpan { Start = sandbox.Now };
        var bad = good with { TraceId = Convert.FromHexString(traceId), SpanId = Convert.FromHexString(spanId) };

        var protobuf = await sandbox.PostSpansAsync(OtlpSpan.Request("shop", good, bad));
        var json = await sandbox.PostAsync(Path, OtlpSpan.Json("shop", good, bad));

        protobuf.Status.ShouldBe(HttpStatusCode.BadRequest);
        protobuf.Error.ShouldContain("resource_spans[0].scope_spans[0].spans[1].");
        json.Status.ShouldBe(HttpStatusCode.BadRequest);
        json.Error.ShouldContain("resourceSpans[0].scopeSpans[0].spans[1].");
        (await sandbox.SearchAsync("spans", "*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task AParentOfAnotherLengthOrAnIdInBase64IsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var span = new OtlpSpan { Start = sandbox.Now };

        (await sandbox.PostSpansAsync(OtlpSpan.Request("shop", span with { ParentId = [1] }))).Error.ShouldContain(
            "parent_span_id"
        );
        (
            await sandbox.PostSpansAsync(OtlpSpan.Request("shop", span with { ParentId = new byte[8] }))
        ).Error.ShouldContain("parent_span_id");
        var json = OtlpSpan
            .Json("shop", span)
            .Replace("00000000000000000102030405060708", "AAAAAAAAAAABAgMEBQYHCA==", StringComparison.Ordinal);
        (await sandbox.PostAsync(Path, json)).Error.ShouldContain("traceId");
    }

    [Fact]
    public async Task ASpanWithoutANameIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostSpansAsync(
            OtlpSpan.Request("shop", new OtlpSpan { Start = sandbox.Now, Name = "" })
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain("spans[0].name");
    }

    [Fact]
    public async Task SpansOutOfTheWindowAreDroppedListedAndToldOfAndTheOthersKept()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        const double hour = 3600;
        OtlpSpan At(byte id, double start) =>
            new()
            {
                SpanId = [0, 0, 0, 0, 0, 0, 0, id],
                Start = sandbox.Now + start,
                Duration = 0,
            };
        OtlpSpan[] spans = [At(1, -18 * hour), At(2, (-18 * hour) - 1), At(3, 2 * hour), At(4, (2 * hour) + 1)];

        var protobuf = await sandbox.PostSpansAsync(OtlpSpan.Request("shop", spans));
        var json = await sandbox.PostAsync(Path, OtlpSpan.Json("shop", spans));

        protobuf.Status.ShouldBe(HttpStatusCode.Accepted);
        Encoding.UTF8.GetBytes(protobuf.Text)[2..4].ShouldBe([0x08, 2]);
        protobuf.Text.ShouldContain("18 h in the past");
        var partial = json.Json.GetProperty("partialSuccess");
        partial.GetProperty("rejectedSpans").GetString().ShouldBe("2");
        partial.GetProperty("errorMessage").GetString()!.ShouldContain("18 h in the past");
        var kept = await sandbox.SearchAsync("spans", "*");
        kept.Select(span => span.GetProperty("span_id").GetString()).ShouldBe(["1", "1", "3", "3"]);
        (await sandbox.DroppedAsync()).ShouldBe(
            new Dictionary<string, int> { ["too_old"] = 2, ["too_new"] = 2 },
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task ASpanThatEndsBeyondTheWindowIsDroppedThoughItBeganWithin()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        await sandbox.PostSpansAsync(OtlpSpan.Request("shop", new OtlpSpan { Start = sandbox.Now, Duration = 7_201 }));

        (await sandbox.DroppedAsync()).ShouldBe(new Dictionary<string, int> { ["too_new"] = 1 });
        (await sandbox.SearchAsync("spans", "*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatIsTooLongOrTooMuchOfASpanIsTakenAwayAndListed()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostSpansAsync(
            OtlpSpan.Request(
                "shop",
                new OtlpSpan
                {
                    Start = sandbox.Now,
                    Attributes =
                    [
                        ("long", new string('x', 30_000)),
                        ("resource.name", new string('r', 5_001)),
                        .. Enumerable.Range(0, 2_000).Select(i => ($"n{i}", (object)i)),
                    ],
                }
            )
        );

        var custom = (await sandbox.SearchAsync("spans", "*")).ShouldHaveSingleItem().GetProperty("custom");

        custom.GetProperty("long").GetString()!.Length.ShouldBe(25_000);
        custom.TryGetProperty("n1021", out _).ShouldBeTrue();
        custom.TryGetProperty("n1022", out _).ShouldBeFalse();
        var dropped = await sandbox.DroppedAsync();
        dropped["truncated"].ShouldBe(2);
        dropped["too_many_attributes"].ShouldBe(1);
    }

    [Fact]
    public async Task ASpanThatIsSentTwiceIsHeldTwice()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = OtlpSpan.Request("shop", new OtlpSpan { Start = sandbox.Now });

        await sandbox.PostSpansAsync(body);
        await sandbox.PostSpansAsync(body);

        (await sandbox.SearchAsync("spans", "trace_id:72623859790382856")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task AKeyIsNeededAndAnotherMediaTypeOrEncodingIsNotTaken()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = OtlpSpan.Request("shop", new OtlpSpan { Start = sandbox.Now });

        (await sandbox.PostAsync(Path, body, "application/grpc")).Status.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await sandbox.PostSpansAsync(Encodings.Encode("deflate", body), encoding: "deflate")).Status.ShouldBe(
            HttpStatusCode.UnsupportedMediaType
        );
        sandbox.Client.DefaultRequestHeaders.Remove("DD-API-KEY");
        (await sandbox.PostSpansAsync(body)).Status.ShouldBe(HttpStatusCode.Forbidden);
        sandbox.Client.DefaultRequestHeaders.Add("dd-api-key", "short");
        (await sandbox.PostSpansAsync(body)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData(0, HttpStatusCode.Accepted)]
    [InlineData(1, HttpStatusCode.RequestEntityTooLarge)]
    public async Task FifteenMegabytesUncompressedAreTakenAndNotAByteMore(int more, HttpStatusCode status)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var json = OtlpSpan.Json("shop", new OtlpSpan { Start = sandbox.Now });
        var body = Encoding.ASCII.GetBytes(json.PadRight((15 << 20) + more));

        (await sandbox.PostAsync(Path, Encodings.Encode("zstd", body), encoding: "zstd")).Status.ShouldBe(status);
        (await sandbox.PostAsync(Path, body)).Status.ShouldBe(status);
    }

    [Fact]
    public async Task TheOldestSpansGoFirstAndAreCounted()
    {
        await using var sandbox = await TestSandbox.StartAsync(options =>
            options with
            {
                Limits = new() { Spans = 3 },
            }
        );
        for (byte i = 1; i <= 5; i++)
        {
            await sandbox.PostSpansAsync(
                OtlpSpan.Request("shop", new OtlpSpan { SpanId = [0, 0, 0, 0, 0, 0, 0, i], Start = sandbox.Now + i })
            );
        }

        (await sandbox.SearchAsync("spans", "*"))
            .Select(span => int.Parse(span.GetProperty("span_id").GetString()!, CultureInfo.InvariantCulture))
            .ShouldBe([3, 4, 5]);
        (await sandbox.GetAsync("/sandbox/dropped"))
            .Json.GetProperty("evicted")
            .GetProperty("spans")
            .GetInt32()
            .ShouldBe(2);
    }

    [Fact]
    public async Task SpansAreHeldWithinTheMemoryThatTheirSendersAttributesTakeToo()
    {
        await using var sandbox = await TestSandbox.StartAsync(options =>
            options with
            {
                Limits = new() { SpanBytes = 100_000 },
            }
        );
        for (byte i = 1; i <= 4; i++)
        {
            await sandbox.PostSpansAsync(
                OtlpSpan.RequestOf([("big", new string('x', 20_000))], new OtlpSpan { Start = sandbox.Now })
            );
        }

        (await sandbox.SearchAsync("spans", "*")).Length.ShouldBe(2);
    }
}
