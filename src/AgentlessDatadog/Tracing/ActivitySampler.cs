using System.Diagnostics;
using AgentlessDatadog.Delivery;

namespace AgentlessDatadog.Tracing;

/// <summary>
/// Decides once for each trace whether it is sent, where it comes into this process or begins there; all that is part of it
/// follows. One that is not sent is handed on as such. Any thread.
/// </summary>
internal sealed class ActivitySampler(TracingOptions options, TimeProvider clock)
{
    // As Datadog's own libraries do it, so that those who share a rate choose the same traces.
    private const ulong Spread = 1_111_111_111_111_111_111;

    private readonly Lock _lock = new();
    private long _second = clock.GetTimestamp();
    private int _begun;

    public ActivitySamplingResult Decide(ref ActivityCreationOptions<ActivityContext> creation)
    {
        if (DatadogClient.IsAsking)
        {
            return ActivitySamplingResult.None;
        }

        var parent = creation.Parent;
        var isRoot = parent.TraceId == default;
        if (!isRoot && !parent.IsRemote)
        {
            return IsRecorded(parent) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None;
        }

        return (isRoot ? IsDrawn(creation.TraceId) : IsRecorded(parent)) && HasRoom()
            ? ActivitySamplingResult.AllDataAndRecorded
            : ActivitySamplingResult.PropagationData;
    }

    private static bool IsRecorded(ActivityContext parent) => (parent.TraceFlags & ActivityTraceFlags.Recorded) != 0;

    private bool IsDrawn(ActivityTraceId traceId) =>
        options.SampleRate >= 1
        || unchecked((ulong)ActivityReader.IdOf(traceId) * Spread) < options.SampleRate * ulong.MaxValue;

    private bool HasRoom()
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            if (clock.GetElapsedTime(_second, now) >= TimeSpan.FromSeconds(1))
            {
                (_second, _begun) = (now, 0);
            }

            return _begun++ < options.MaxTracesPerSecond;
        }
    }
}
