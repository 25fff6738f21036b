using System.Diagnostics;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tracing;

namespace AgentlessDatadog;

/// <summary>
/// Makes spans of the activities of a program and its libraries: requests that come in and go out, statements, messages. A
/// trace context that a caller hands in is gone on with, and handed on. What a statement or an address holds of values does
/// not leave, and what the pipeline asks of Datadog is no part of any trace. Nobody who is traced waits for it: 10 000 spans
/// wait in memory until there is a pipeline, and while that cannot keep anything; what is more is counted and told. It costs
/// nothing before it is made, nor after it is disposed.
/// </summary>
public sealed class DatadogActivityListener : IDisposable, IAsyncDisposable
{
    private readonly BackgroundSender<Activity> _sender;
    private readonly ActivityListener _listener;
    private readonly WebRequests? _web;

    /// <summary>Listens at once; what it hears waits for <see cref="SendTo"/>.</summary>
    /// <param name="options">Which activities become spans.</param>
    /// <param name="clock">The only clock; by default this machine's.</param>
    /// <exception cref="ArgumentException">An option cannot be used; the message says which.</exception>
    public DatadogActivityListener(TracingOptions? options = null, TimeProvider? clock = null)
    {
        options ??= new TracingOptions();
        options.Verify();
        clock ??= TimeProvider.System;
        _sender = new BackgroundSender<Activity>(Lane.Traces, ActivityReader.Read, clock);
        var sampler = new ActivitySampler(options, clock);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => options.Sources.Contains(source.Name),
            Sample = sampler.Decide,
            ActivityStopped = Take,
        };
        _web = options.Sources.Contains(WebRequests.Source) ? new WebRequests() : null;
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>Names the pipeline.</summary>
    /// <param name="pipeline">Started; another one may be named later.</param>
    public void SendTo(TelemetryPipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        _sender.Use(pipeline);
    }

    /// <summary>Listens no more. What it has is handed over in the background: <see cref="DisposeAsync"/> waits for it.</summary>
    public void Dispose()
    {
        _listener.Dispose();
        _web?.Dispose();
        _sender.End();
    }

    /// <summary>Listens no more, and returns when the pipeline has what was heard before. The pipeline ends after it.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _sender.Ended.ConfigureAwait(false);
    }

    // Others may listen to the same activities, and want some that we do not.
    private void Take(Activity activity)
    {
        if (activity.Recorded)
        {
            _sender.Add(activity);
        }
    }
}
