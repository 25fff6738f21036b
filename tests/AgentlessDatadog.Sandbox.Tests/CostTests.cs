using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentlessDatadog.Sandbox.Tests.Support;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>
/// The sandbox lives in the process of whoever embeds it: what comes small stays cheap, whatever it unpacks to.
/// </summary>
/// <remarks>What is allocated is counted for the whole process: nothing else runs meanwhile.</remarks>
[CollectionDefinition(nameof(CostTests), DisableParallelization = true)]
[Collection(nameof(CostTests))]
public sealed class CostTests
{
    private const string Protobuf = "application/x-protobuf";
    private const int RawV2 = 5_242_880;
    private const int RawV1 = 62_914_560;

    [Theory]
    [InlineData("series")]
    [InlineData("tags")]
    [InlineData("points")]
    [InlineData("resources")]
    public async Task AFewKilobytesThatUnpackToMillionsOfThingsAreRefusedAtABoundedCost(string what)
    {
        // Two bytes each, of which nothing is in the second: the things have no content.
        var raw = what switch
        {
            "series" => Repeat([0x0A, 0x00]),
            "tags" => Series(Repeat([0x1A, 0x00])),
            "points" => Series(Repeat([0x22, 0x00])),
            _ => Series(Repeat([0x0A, 0x00])),
        };
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Encodings.Encode("zstd", raw);
        body.Length.ShouldBeLessThan(6_000);

        var (reply, allocated) = await CostOfAsync(() =>
            sandbox.PostAsync("/api/v2/series", body, Protobuf, encoding: "zstd")
        );

        reply.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge, what);
        reply.Error.ShouldContain("1000000");
        allocated.ShouldBeLessThan(192L << 20);
    }

    [Theory]
    [InlineData("/api/v1/distribution_points", """{"series":[{"metric":"m","points":[[1772366400,[0""", ",0", "]]]}]}")]
    [InlineData("/api/v1/series", """{"series":[{"metric":"m","points":[],"tags":["a:b" """, ",\"\"", "]}]}")]
    public async Task JsonOfMillionsOfValuesIsRefusedBeforeItIsTakenApart(
        string path,
        string begin,
        string more,
        string end
    )
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var raw = begin + string.Concat(Enumerable.Repeat(more, 4_000_000)) + end;
        raw.Length.ShouldBeLessThan(RawV1);
        var body = Encodings.Encode("deflate", Encoding.UTF8.GetBytes(raw));

        var (reply, allocated) = await CostOfAsync(() => sandbox.PostAsync(path, body, encoding: "deflate"));

        reply.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        reply.Error.ShouldContain("4000000");
        allocated.ShouldBeLessThan(64L << 20);
    }

    [Fact]
    public async Task SamplesThatComeBackwardsInTimeCostNoMoreThanOthers()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var values = string.Join(',', Enumerable.Repeat("1", 500_000));
        var body = Encodings.Encode(
            "deflate",
            Encoding.UTF8.GetBytes(
                $$"""{"series":[{"metric":"m","points":[[{{sandbox.Now}},[{{values}}]],[{{sandbox.Now - 60}},[{{values}}]]]}]}"""
            )
        );

        (await sandbox.PostAsync("/api/v1/distribution_points", body, encoding: "deflate")).Status.ShouldBe(
            HttpStatusCode.Accepted
        );

        var counts = await sandbox.ValuesAsync("count:m{*}.rollup(60)");
        counts.ShouldHaveSingleItem().Value.ShouldBe([500_000, 500_000]);
    }

    [Fact]
    public async Task BodiesBeyondWhatIsTakenInAtATimeAreRefusedUntilThereIsRoom()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        // Twenty bodies that each announce all that the route takes, and stop after so much of it that Kestrel, which wants
        // 240 bytes a second, waits for many minutes.
        var beginning = new string(' ', 200_000);
        List<TcpClient> connections = [];
        try
        {
            for (var i = 0; i < 20; i++)
            {
                var connection = new TcpClient();
                connections.Add(connection);
                await connection.ConnectAsync(IPAddress.Loopback, sandbox.Address.Port, Token);
                var head =
                    $"POST /api/v1/series HTTP/1.1\r\nHost: 127.0.0.1\r\nDD-API-KEY: {Secret.ApiKey}\r\nContent-Type: application/json\r\nContent-Length: 3200000\r\n\r\n{beginning}";
                await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Token);
            }
            var one = """{"series":[]}""";
            var reply = await sandbox.PostAsync("/api/v1/distribution_points", one.PadRight(3_200_000));
            // The last of the twenty may not have been heard yet.
            for (var more = 0; more < 100 && reply.Status == HttpStatusCode.Accepted; more++)
            {
                reply = await sandbox.PostAsync("/api/v1/distribution_points", one.PadRight(3_200_000));
            }
            reply.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
            reply.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
        while ((await sandbox.PostV1Async("")).Status == HttpStatusCode.ServiceUnavailable) { }
    }

    [Theory]
    [InlineData(",avg:m{*}", 19, HttpStatusCode.OK)]
    [InlineData(",avg:m{*}", 20, HttpStatusCode.BadRequest)]
    public async Task AQuestionMayAskForTwentyThingsAtOnce(string more, int times, HttpStatusCode status)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var query = "avg:m{*}" + string.Concat(Enumerable.Repeat(more, times));
        (await sandbox.AskAsync(query)).Status.ShouldBe(status);
    }

    [Fact]
    public async Task AnAnswerOfMoreThanAMillionPointsIsRefused()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var points = string.Join(
            ',',
            Enumerable.Range(0, 3_500).Select(i => $$"""{"timestamp":{{sandbox.Now - i}},"value":1}""")
        );
        for (var series = 0; series < 15; series++)
        {
            await sandbox.PostV2Async($$"""{"metric":"m","type":3,"tags":["n:{{series}}"],"points":[{{points}}]}""");
        }
        Task<Reply> AskTwentyTimesAsync(string query) =>
            sandbox.AskAsync(string.Join(',', Enumerable.Repeat(query, 20)));

        (await AskTwentyTimesAsync("avg:m{*} by {n}.rollup(1)")).Error.ShouldContain("1000000 points");
        (await AskTwentyTimesAsync("avg:m{*} by {n}.rollup(60)")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task EventsAreHeldWithinTheirCharacters()
    {
        await using var sandbox = await TestSandbox.StartAsync(options =>
            options with
            {
                Limits = new() { EventBytes = 20_000 },
            }
        );
        for (var i = 0; i < 5; i++)
        {
            (
                await sandbox.PostAsync("/api/v1/events", $$"""{"title":"{{new string('t', 4_000)}}","text":"x"}""")
            ).Status.ShouldBe(HttpStatusCode.Accepted);
        }
        (await sandbox.GetAsync("/sandbox/dropped"))
            .Json.GetProperty("evicted")
            .GetProperty("events")
            .GetInt32()
            .ShouldBe(3);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Series(byte[] fields)
    {
        var length = new List<byte>();
        for (var left = fields.Length; left > 0; left >>= 7)
        {
            length.Add((byte)(left > 127 ? (left & 127) | 128 : left));
        }
        return [0x0A, .. length, .. fields];
    }

    private static byte[] Repeat(byte[] one)
    {
        var many = new byte[RawV2 - 20];
        for (var i = 0; i < many.Length; i++)
        {
            many[i] = one[i % one.Length];
        }
        return many;
    }

    private static async Task<(Reply Reply, long Allocated)> CostOfAsync(Func<Task<Reply>> request)
    {
        var before = GC.GetTotalAllocatedBytes();
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var reply = await request();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds:0.00} s of CPU, {(GC.GetTotalAllocatedBytes() - before) >> 20} MiB allocated"
        );
        return (reply, GC.GetTotalAllocatedBytes() - before);
    }
}
