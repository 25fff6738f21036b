using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Trace;

namespace AgentlessDatadog.Benchmarks;

/// <summary>
/// What a span and a log entry cost of CPU, from an activity or a logger to the last byte that is sent, at 20 000 a second;
/// beside OpenTelemetry's exporter on the same work. Ours are on disk before they are sent, and zstd; theirs are in memory
/// alone, and gzip. What activities and loggers cost without either is taken off both.
/// </summary>
internal static class ExporterCost
{
    // Five, so that a median means something.
    private const int Rounds = 5;
    private const int Seconds = 10;
    private const int PerSecond = 20_000;
    private const int StepsPerSecond = 20;

    private const string Name = "bench";

    private static readonly DirectoryInfo Folder = Directory.CreateTempSubdirectory("exporter-cost-");

    private static readonly ActivitySource Source = new(Name);

    // So many that no storm is one of a single kind.
    private static readonly string[] Categories = [.. Enumerable.Range(0, PerSecond).Select(i => $"Shop.Part{i}")];

    private sealed record Cost(double Microseconds, double BytesOnTheWire);

    public static async Task RunAsync()
    {
        Line(
            "| | alone, µs CPU | OpenTelemetry, µs CPU | this library, µs CPU | ratio | bytes on the wire, theirs | ours |"
        );
        Line("|---|---|---|---|---|---|---|");
        await CompareAsync("a span", SpansAloneAsync, SpansByOpenTelemetryAsync, SpansByUsAsync);
        await CompareAsync("a log entry", LogsAloneAsync, LogsByOpenTelemetryAsync, LogsByUsAsync);
        Folder.Delete(recursive: true);
    }

    private static async Task CompareAsync(
        string what,
        Func<Task<Cost>> alone,
        Func<Task<Cost>> theirs,
        Func<Task<Cost>> ours
    )
    {
        List<Cost> bare = [];
        List<Cost> peers = [];
        List<Cost> own = [];
        for (var round = 0; round < Rounds; round++)
        {
            bare.Add(await alone());
            peers.Add(await theirs());
            own.Add(await ours());
        }
        var (none, peer, us) = (Median(bare), Median(peers), Median(own));
        Line(
            $"| {what} | {none.Microseconds:f2} | {peer.Microseconds:f2} | {us.Microseconds:f2} | "
                + $"{(us.Microseconds - none.Microseconds) / (peer.Microseconds - none.Microseconds):f2}× | "
                + $"{peer.BytesOnTheWire:f1} | {us.BytesOnTheWire:f1} |"
        );
    }

    private static async Task<Cost> SpansAloneAsync()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        return await MeasureAsync(null, Trace, () => Task.CompletedTask);
    }

    private static async Task<Cost> SpansByOpenTelemetryAsync()
    {
        var farEnd = new FarEnd();
        var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(Name)
            .SetSampler(new AlwaysOnSampler())
            .AddOtlpExporter(exporter => Use(exporter, farEnd, "/v1/traces"))
            .Build();
        return await MeasureAsync(
            farEnd,
            Trace,
            () =>
            {
                provider.Dispose();
                return Task.CompletedTask;
            }
        );
    }

    private static async Task<Cost> SpansByUsAsync()
    {
        var farEnd = new FarEnd();
        await using var pipeline = await StartAsync(farEnd);
        await using var listener = new DatadogActivityListener(
            new TracingOptions { Sources = [Name], MaxTracesPerSecond = int.MaxValue }
        );
        listener.SendTo(pipeline);
        return await MeasureAsync(
            farEnd,
            Trace,
            async () =>
            {
                await listener.DisposeAsync();
                await EndAsync(pipeline, "traces");
            }
        );
    }

    private static async Task<Cost> LogsAloneAsync()
    {
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(new NobodyProvider()));
        return await MeasureAsync(null, Log(factory), () => Task.CompletedTask);
    }

    private static async Task<Cost> LogsByOpenTelemetryAsync()
    {
        var farEnd = new FarEnd();
        var factory = LoggerFactory.Create(logging =>
            logging.AddOpenTelemetry(options =>
                options.AddOtlpExporter(
                    (exporter, processor) =>
                    {
                        Use(exporter, farEnd, "/v1/logs");
                        Room(processor.BatchExportProcessorOptions);
                    }
                )
            )
        );
        return await MeasureAsync(
            farEnd,
            Log(factory),
            () =>
            {
                factory.Dispose();
                return Task.CompletedTask;
            }
        );
    }

    private static async Task<Cost> LogsByUsAsync()
    {
        var farEnd = new FarEnd();
        await using var pipeline = await StartAsync(farEnd);
        await using var provider = new DatadogLoggerProvider();
        provider.SendTo(pipeline);
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(provider));
        return await MeasureAsync(
            farEnd,
            Log(factory),
            async () =>
            {
                await provider.DisposeAsync();
                await EndAsync(pipeline, "logs");
            }
        );
    }

    // Two spans, one in the other, with what a request and a statement say.
    private static void Trace(int i)
    {
        if (i % 2 != 0)
        {
            return;
        }
        using var request = Source.StartActivity("request", ActivityKind.Server);
        request!
            .SetTag("http.request.method", "GET")
            .SetTag("http.route", "/orders/{id}")
            .SetTag("http.response.status_code", 200)
            .SetTag("url.path", Categories[i])
            .SetTag("server.address", "shop.example.com");
        using var call = Source.StartActivity("call", ActivityKind.Client);
        call!
            .SetTag("server.address", "db.example.com")
            .SetTag("server.port", 5432)
            .SetTag("peer.name", Categories[i])
            .SetTag("rows", i);
    }

    private static Action<int> Log(ILoggerFactory factory)
    {
        var loggers = Categories.Select(factory.CreateLogger).ToArray();
        return i =>
            loggers[i].LogInformation("Order {Order} of {Customer} was placed in {Elapsed} ms", i, "ada", 0.25 * i);
    }

    private static async Task<Cost> MeasureAsync(FarEnd? farEnd, Action<int> work, Func<Task> end)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / StepsPerSecond));
        for (var step = 0; step < Seconds * StepsPerSecond; step++)
        {
            const int perStep = PerSecond / StepsPerSecond;
            for (var n = 0; n < perStep; n++)
            {
                work((step * perStep + n) % PerSecond);
            }
            await timer.WaitForNextTickAsync();
        }
        await end();
        process.Refresh();
        var took = process.TotalProcessorTime - before;
        const double count = PerSecond * Seconds;
        return new Cost(took.TotalMicroseconds / count, (farEnd?.Bytes ?? 0) / count);
    }

    private static async Task<TelemetryPipeline> StartAsync(FarEnd farEnd)
    {
        var pipeline = new TelemetryPipeline(
            Path.Combine(Folder.FullName, $"{Guid.NewGuid():N}.db"),
            new TelemetryOptions
            {
                ApiKey = new string('0', 32),
                FlushInterval = TimeSpan.FromSeconds(10),
                IntakeUrl = new Uri("http://datadog.invalid"),
            },
            handler: _ => farEnd
        );
        await pipeline.StartAsync();
        return pipeline;
    }

    private static async Task EndAsync(TelemetryPipeline pipeline, string lane)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await pipeline.StopAsync(deadline.Token);
        var ledger = pipeline.Status.Lanes.Single(status => status.Lane == lane).Ledger;
        if (ledger.Delivered != PerSecond * Seconds)
        {
            Line($"// not the same work: {ledger}");
        }
    }

    private static void Use(OtlpExporterOptions exporter, FarEnd farEnd, string path)
    {
        exporter.Endpoint = new Uri($"http://datadog.invalid{path}");
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Compression = OtlpExportCompression.GZip;
        exporter.HttpClientFactory = () => new HttpClient(farEnd);
        Room(exporter.BatchExportProcessorOptions);
    }

    // Its defaults hold 2 048, of which it drops what comes beyond.
    private static void Room<T>(BatchExportProcessorOptions<T> processor)
        where T : class
    {
        processor.MaxQueueSize = PerSecond * 5;
        processor.MaxExportBatchSize = PerSecond / 2;
        processor.ScheduledDelayMilliseconds = 1_000;
    }

    private static Cost Median(List<Cost> costs) => costs.OrderBy(cost => cost.Microseconds).ElementAt(costs.Count / 2);

    private static void Line(string line) => Console.WriteLine(line);

    /// <summary>Takes everything at no cost but its reading.</summary>
    private sealed class FarEnd : HttpMessageHandler
    {
        private long _bytes;

        public long Bytes => Interlocked.Read(ref _bytes);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var body = request.Content?.ReadAsStream(cancellationToken) ?? Stream.Null;
            return Answer(body.Length);
        }

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(cancellationToken) : [];
            return Answer(body.Length);
        }

        private HttpResponseMessage Answer(long length)
        {
            Interlocked.Add(ref _bytes, length);
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent("{}", null, "application/json"),
            };
        }
    }

    /// <summary>Listens to loggers and does nothing with what they say.</summary>
    private sealed class NobodyProvider : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) { }

        public void Dispose() { }
    }
}
