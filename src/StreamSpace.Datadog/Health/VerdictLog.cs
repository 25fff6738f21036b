using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Health;

/// <summary>Logs the verdict when it changes: one line when something begins, one when it is over.</summary>
internal sealed class VerdictLog(ILogger logger)
{
    private readonly Lock _lock = new();
    private PluginVerdict? _said;

    /// <summary>Takes how it stands now. That a sentence counts on is no change.</summary>
    public void Look(PluginVerdict now)
    {
        lock (_lock)
        {
            if (_said is { } said && (said.State, said.About) == (now.State, now.About))
            {
                return;
            }
            if (_said is { State: not VerdictState.Ok } over)
            {
                logger.LogInformation("No longer so: {Sentence}", over.Sentence);
            }
            var level = now.State switch
            {
                VerdictState.Ok => LogLevel.Information,
                VerdictState.Degraded => LogLevel.Warning,
                _ => LogLevel.Error,
            };
            logger.Log(level, "{State}: {Sentence} {Fix}", now.State, now.Sentence, now.Fix ?? "");
            _said = now;
        }
    }
}
