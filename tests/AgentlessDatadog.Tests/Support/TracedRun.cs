using AgentlessDatadog.Store;
using OpenTelemetry.Proto.Trace.V1;

namespace AgentlessDatadog.Tests.Support;

/// <summary>
/// A listener with a pipeline, on the machine's clock, by which .NET stamps activities. Sources are the whole process's: whoever
/// asserts looks at its own trace alone.
/// </summary>
internal sealed class TracedRun : IAsyncDisposable
{
    private readonly TelemetryPipeline _pipeline;

    private TracedRun(TracingOptions options)
    {
        FarEnd = new FarEnd(TimeProvider.System);
        Listener = new DatadogActivityListener(options);
        _pipeline = new TelemetryPipeline(
            new MemoryStore(),
            new TelemetryOptions { IntakeUrl = FarEnd.Url, ApiKey = Secret.ApiKey },
            TimeProvider.System,
            () => 0.5,
            new SearchedLog(),
            _ => FarEnd
        );
    }

    public FarEnd FarEnd { get; }

    public DatadogActivityListener Listener { get; }

    public static async Task<TracedRun> StartAsync(TracingOptions? options = null)
    {
        var run = new TracedRun(options ?? new TracingOptions { MaxTracesPerSecond = int.MaxValue });
        await run._pipeline.StartAsync(default);
        run.Listener.SendTo(run._pipeline);
        return run;
    }

    /// <summary>All spans that arrived of what was traced until now; nothing is traced any more.</summary>
    public async Task<IReadOnlyList<OtlpSpan>> SentAsync()
    {
        await Listener.DisposeAsync();
        await _pipeline.StopAsync(default);
        return
        [
            .. FarEnd
                .Requests.Where(request => request.Path == "/v1/traces")
                .SelectMany(request => SpanCheck.Read(request.Raw).ResourceSpans)
                .SelectMany(resource => resource.ScopeSpans)
                .SelectMany(scope => scope.Spans),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        await _pipeline.DisposeAsync();
        FarEnd.Dispose();
    }
}
