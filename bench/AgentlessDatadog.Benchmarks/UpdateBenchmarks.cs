using System.Diagnostics.Metrics;
using AgentlessDatadog.Pipeline;
using BenchmarkDotNet.Attributes;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace AgentlessDatadog.Benchmarks;

/// <summary>One look at a session sets its three gauges: by handle, by name and tags, and in the OpenTelemetry SDK.</summary>
[MemoryDiagnoser]
public class UpdateBenchmarks : IDisposable
{
    private readonly SeriesTable _table = new(TimeProvider.System);
    private readonly Gauge[] _handles = new Gauge[Sessions.Count * 3];
    private readonly string[][] _tags = new string[Sessions.Count][];
    private readonly Meter _meter = new("bench");
    private MeterProvider? _provider;
    private Gauge<double>[] _instruments = [];
    private Counter<double>? _counter;

    // What the SDK's users hold for a session is its three tags.
    private readonly KeyValuePair<string, object?>[][] _attributes = new KeyValuePair<string, object?>[
        Sessions.Count
    ][];

    [GlobalSetup]
    public void Setup()
    {
        var limit = new MetricStreamConfiguration { CardinalityLimit = Sessions.Count + 1 };
        _provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("bench")
            .AddView("*", limit)
            .AddReader(new PeriodicExportingMetricReader(new NoExporter(), Timeout.Infinite))
            .Build();
        _instruments = [.. Sessions.Gauges.Select(name => _meter.CreateGauge<double>(name))];
        _counter = _meter.CreateCounter<double>("streamspace.session.created");
        for (var i = 0; i < Sessions.Count; i++)
        {
            _tags[i] = Sessions.Tags(i);
            _attributes[i] =
            [
                new("session", Sessions.Session(i)),
                new("template", Sessions.Template(i)),
                new("user", Sessions.User(i)),
            ];
            for (var gauge = 0; gauge < 3; gauge++)
            {
                _handles[i * 3 + gauge] = (Gauge)_table.Hold(Sessions.Gauges[gauge], MetricType.Gauge, _tags[i], null);
            }
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _provider?.Dispose();
        _meter.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Sessions.Count)]
    public void HeartbeatInOpenTelemetry()
    {
        for (var i = 0; i < Sessions.Count; i++)
        {
            var tags = _attributes[i].AsSpan();
            _instruments[0].Record(i, tags);
            _instruments[1].Record(i, tags);
            _instruments[2].Record(i, tags);
        }
    }

    [Benchmark(OperationsPerInvoke = Sessions.Count)]
    public void HeartbeatByHandle()
    {
        for (var i = 0; i < Sessions.Count; i++)
        {
            _handles[i * 3].Set(i);
            _handles[i * 3 + 1].Set(i);
            _handles[i * 3 + 2].Set(i);
        }
    }

    [Benchmark(OperationsPerInvoke = Sessions.Count)]
    public void ThreeCountsInOpenTelemetry()
    {
        for (var i = 0; i < Sessions.Count; i++)
        {
            for (var n = 0; n < 3; n++)
            {
                _counter!.Add(1, _attributes[i].AsSpan());
            }
        }
    }

    [Benchmark(OperationsPerInvoke = Sessions.Count)]
    public void ThreeCountsByNameAndTags()
    {
        for (var i = 0; i < Sessions.Count; i++)
        {
            for (var n = 0; n < 3; n++)
            {
                _table.Named("streamspace.session.created", MetricType.Count, _tags[i], null).Put(1);
            }
        }
    }

    private sealed class NoExporter : BaseExporter<OpenTelemetry.Metrics.Metric>
    {
        public override ExportResult Export(in Batch<OpenTelemetry.Metrics.Metric> batch) => ExportResult.Success;
    }
}
