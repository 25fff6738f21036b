using AgentlessDatadog.Benchmarks;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

if (args is ["store", .. var rest])
{
    await StoreThroughput.RunAsync(rest is [var folder] ? folder : Path.GetTempPath());
    return;
}

if (args is ["exporters"])
{
    await ExporterCost.RunAsync();
    return;
}

// In this process, so that a run takes about a minute; seven iterations, so that a median means something.
var job = Job
    .Default.WithToolchain(InProcessEmitToolchain.Instance)
    .WithWarmupCount(3)
    .WithIterationCount(7)
    .WithInvocationCount(1)
    .WithUnrollFactor(1);
var config = DefaultConfig.Instance.AddJob(job).HideColumns(Column.Error).AddColumn(StatisticColumn.Median);
BenchmarkSwitcher
    .FromTypes([typeof(UpdateBenchmarks), typeof(FlushBenchmarks)])
    .Run(args.Length > 0 ? args : ["--filter", "*"], config);
