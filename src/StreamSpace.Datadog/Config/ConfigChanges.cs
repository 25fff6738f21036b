using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// Puts configs in force one at a time: those that the host gives, and the last of them again when a key file has changed.
/// </summary>
/// <param name="reader">Reads them.</param>
/// <param name="files">The files that hold keys.</param>
/// <param name="use">Puts a valid one in force.</param>
/// <param name="logger">Says what has changed.</param>
internal sealed class ConfigChanges(
    ConfigReader reader,
    KeyFiles files,
    Func<DatadogConfig, CancellationToken, ValueTask> use,
    ILogger logger
) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private PluginSettings? _given;

    /// <summary>What was wrong with the config, as long as none was valid.</summary>
    public IReadOnlyList<ConfigError> Errors { get; private set; } = [];

    /// <summary>Puts <paramref name="settings"/> in force, or gives every error in them, and what was in force stays.</summary>
    public async ValueTask<IReadOnlyList<ConfigError>> TakeAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var errors = await UseAsync(settings, cancellationToken);
            if (errors.Count == 0)
            {
                files.Acknowledge();
            }
            return errors;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes the keys that the files hold now. What was not taken is tried again at each look.</summary>
    public async Task LookAtFilesAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (files.Changed() && _given is not null)
            {
                var errors = await UseAsync(_given, cancellationToken);
                files.Acknowledge();
                logger.LogInformation(
                    "A key file has changed: {Outcome}",
                    errors.Count == 0 ? "taken" : string.Join(" ", errors)
                );
            }
        }
        catch (Exception e)
        {
            logger.LogError(e, "A changed key file could not be taken; the keys stay as they were");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits for a change that is under way; none follows.</summary>
    public ValueTask DisposeAsync() => new(_turn.WaitAsync(CancellationToken.None));

    private async Task<IReadOnlyList<ConfigError>> UseAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    )
    {
        if (reader.Read(settings, out var errors) is not { } read)
        {
            Errors = _given is null ? errors : Errors;
            return errors;
        }
        await use(read, cancellationToken);
        (_given, Errors) = (settings, []);
        return errors;
    }
}
