using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Metrics;
using BenchmarkDotNet.Attributes;
using ZstdSharp;

namespace AgentlessDatadog.Benchmarks;

/// <summary>A flush of 300 000 series, beside the compressing alone of the same bytes.</summary>
[MemoryDiagnoser]
public class FlushBenchmarks
{
    private readonly SeriesTable _table = new(TimeProvider.System);
    private readonly Gauge[] _handles = new Gauge[Sessions.Count * 3];
    private Aggregate? _aggregate;
    private byte[] _raw = [];
    private long _second = 1_800_000_000;

    [GlobalSetup]
    public void Setup()
    {
        _table.UseGlobalTags(["env:production", "service:streamspace"]);
        _aggregate = new Aggregate(_table);
        for (var i = 0; i < Sessions.Count; i++)
        {
            var tags = Sessions.Tags(i);
            for (var gauge = 0; gauge < 3; gauge++)
            {
                _handles[i * 3 + gauge] = (Gauge)_table.Hold(Sessions.Gauges[gauge], MetricType.Gauge, tags, null);
            }
        }
        var random = new Random(1);
        Measure(random);
        var requests = CutAndEncode();
        using var raw = new MemoryStream();
        foreach (var request in requests)
        {
            using var stream = new DecompressionStream(new MemoryStream(request.Body));
            stream.CopyTo(raw);
        }
        _raw = raw.ToArray();
        var wire = requests.Sum(request => request.Body.Length);
        Console.WriteLine(
            $"// {requests.Count} requests, {_raw.Length} bytes raw, {wire} on the wire, "
                + $"{(double)wire / _handles.Length:0.00} a series"
        );
    }

    [IterationSetup]
    public void Measure() => Measure(new Random(1));

    [Benchmark(Baseline = true)]
    public int CompressAlone()
    {
        using var compressor = new Compressor(1);
        return compressor.Wrap(_raw).Length;
    }

    [Benchmark]
    public int CutEncodeAndCompress() => CutAndEncode().Count;

    private List<EncodedRequest> CutAndEncode()
    {
        using var encoder = new SeriesEncoder(_aggregate!.Take(_second++, 10), "zstd");
        return encoder.Encode();
    }

    // A percentage with two decimals, and whole bytes.
    private void Measure(Random random)
    {
        for (var i = 0; i < _handles.Length; i += 3)
        {
            _handles[i].Set(Math.Round(random.NextDouble() * 100, 2));
            _handles[i + 1].Set(random.Next(1 << 20) * 4096.0);
            _handles[i + 2].Set(random.Next(1 << 20) * 4096.0);
        }
    }
}
