using AgentlessDatadog.Logging;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>
/// Sends what a program logs, from Information on, as log entries with the values, the scopes and the trace that belong to it.
/// Nobody who logs waits for it. A storm of one message is folded: 60 of a kind in a minute are sent, and one entry says how
/// many more there were. What the pipeline logs about sending logs is not sent. Until it has a pipeline, and while that
/// cannot keep anything, 10 000 entries wait in memory; what is more is counted and told.
/// </summary>
public sealed class DatadogLoggerProvider : ILoggerProvider, ISupportExternalScope, IAsyncDisposable
{
    private readonly LogSender _sender;
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    /// <summary>Makes a provider; what is logged waits for <see cref="SendTo"/>.</summary>
    /// <param name="clock">The only clock; by default this machine's.</param>
    public DatadogLoggerProvider(TimeProvider? clock = null) => _sender = new LogSender(clock ?? TimeProvider.System);

    /// <summary>Names the pipeline. It may itself log through this provider.</summary>
    /// <param name="pipeline">Started; another one may be named later.</param>
    public void SendTo(TelemetryPipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        _sender.Use(pipeline);
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new CategoryLogger(categoryName, _sender, () => _scopes);

    /// <inheritdoc/>
    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <summary>Takes nothing more. What it has is handed over in the background: <see cref="DisposeAsync"/> waits for it.</summary>
    public void Dispose() => _sender.End();

    /// <summary>Takes nothing more, and returns when the pipeline has what was logged before. The pipeline ends after it.</summary>
    public async ValueTask DisposeAsync()
    {
        _sender.End();
        await _sender.Ended.ConfigureAwait(false);
    }
}
