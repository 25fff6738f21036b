using Microsoft.Extensions.Hosting;

namespace AgentlessDatadog;

/// <summary>Starts and ends a pipeline with its host. The container disposes of it.</summary>
internal sealed class TelemetryHostedService(
    TelemetryPipeline pipeline,
    DatadogLoggerProvider logs,
    DatadogActivityListener? activities = null
) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
        logs.SendTo(pipeline);
        activities?.SendTo(pipeline);
    }

    // What was logged and done until now is part of what is sent.
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (activities is not null)
        {
            await activities.DisposeAsync().ConfigureAwait(false);
        }

        await logs.DisposeAsync().ConfigureAwait(false);
        await pipeline.StopAsync(cancellationToken).ConfigureAwait(false);
    }
}
