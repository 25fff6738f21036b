using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Collection;

/// <summary>What the host and the plugin log, on its way to Datadog while logs are switched on. Not for two threads at once.</summary>
internal sealed class LogForwarding(IPluginContext context, TelemetryPipeline pipeline) : IAsyncDisposable
{
    private DatadogLoggerProvider? _provider;
    private IDisposable? _listening;

    /// <summary>Begins or ends as a config in force says.</summary>
    public async ValueTask UseAsync(DatadogConfig config)
    {
        if (!config.Enabled || !config.EnableLogs)
        {
            await EndAsync();
        }
        else if (_provider is null)
        {
            _provider = new DatadogLoggerProvider(pipeline.Clock);
            _provider.SendTo(pipeline);
            _listening = context.ListenToLog(_provider);
        }
    }

    /// <inheritdoc cref="EndAsync"/>
    public ValueTask DisposeAsync() => EndAsync();

    /// <summary>Takes nothing more; returns when the pipeline has what was logged before, or cannot keep it.</summary>
    public async ValueTask EndAsync()
    {
        _listening?.Dispose();
        await (_provider?.DisposeAsync() ?? default);
        (_provider, _listening) = (null, null);
    }
}
