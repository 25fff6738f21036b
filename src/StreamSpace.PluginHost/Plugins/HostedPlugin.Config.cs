using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

// How a plugin is configured: by a call of the API, and by StreamSpace's own page.
internal sealed partial class HostedPlugin
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The config in force, or while the plugin is off the one that will be; secrets left out by the plugin and once
    /// more by the schema.
    /// </summary>
    public JsonObject Config =>
        Manifest!.ConfigSchema.WithoutSecrets(
            Plugin is null ? Read(_config!.Read()).Values : Ask(plugin => plugin.Config, nobody: [], broken: _ => [])
        );

    /// <summary>What the plugin says that an operator should know now.</summary>
    public IReadOnlyList<CheckFinding> Findings => Ask(plugin => plugin.Findings, nobody: [], broken: _ => []);

    /// <summary>The entity tag of its config.</summary>
    public string ConfigTag => _config!.Tag;

    /// <summary>What was found of its row in StreamSpace's database, or null when no database is attached.</summary>
    public string? RowDetail { get; private set; }

    /// <summary>
    /// Lays <paramref name="change"/> over the stored config (an absent key stays, a null clears) and puts the
    /// result in force and in the store; or returns the faults, and all stays as it was. Null when the config is no
    /// longer the one of <paramref name="ifMatch"/>: somebody else has changed it.
    /// </summary>
    /// <exception cref="PluginException">It has been uninstalled, is at something else, or fails over the config.</exception>
    public async Task<IReadOnlyList<ConfigFault>?> ChangeConfigAsync(
        JsonObject change,
        string? ifMatch,
        CancellationToken cancellationToken
    )
    {
        var faults = await LayOverAsync(change, ifMatch, cancellationToken);
        if (faults is { Count: 0 })
        {
            await host.Settle(cancellationToken);
        }
        return faults;
    }

    /// <summary>
    /// Lets StreamSpace's row win over what is kept, or no longer. A row with faults changes nothing: what was in force
    /// stays, and <see cref="RowDetail"/> says what is wrong.
    /// </summary>
    public async Task UseRowAsync(PluginRowReading reading, CancellationToken cancellationToken)
    {
        RowDetail = reading.Detail;
        if (reading.State is not (PluginRowState.Present or PluginRowState.Absent))
        {
            return;
        }
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_gone)
            {
                return;
            }
            var warnings = new List<string>();
            var before = _config!.Row;
            _config.Row = reading.Row is { } row ? _config.ReadRow(row, warnings) ?? before : null;
            try
            {
                var faults = Plugin is null ? [] : await ReconfigureAsync(_config.Read(), cancellationToken);
                if (faults.Count > 0)
                {
                    _config.Row = before;
                    warnings.AddRange(faults.Select(f => f.ToString()));
                }
            }
            catch (PluginException e)
            {
                _config.Row = before;
                warnings.Add(e.Message);
            }
            if (warnings.Count > 0)
            {
                RowDetail = $"{reading.Detail} {string.Join(" ", warnings)}";
                _log?.Logger.LogWarning("StreamSpace's row of {Plugin}: {Warnings}", Name, string.Join(" ", warnings));
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<IReadOnlyList<ConfigFault>?> LayOverAsync(
        JsonObject change,
        string? ifMatch,
        CancellationToken cancellationToken
    )
    {
        if (!await _turn.WaitAsync(Patience, cancellationToken))
        {
            throw new PluginException(
                StatusCodes.Status503ServiceUnavailable,
                $"{Name} is busy with something else; nothing was changed. Try again."
            );
        }
        try
        {
            if (_gone)
            {
                // What is kept of it was forgotten, and must not come back.
                throw PluginException.Gone(Name);
            }
            if (ifMatch is not null && ifMatch != ConfigTag)
            {
                return null;
            }
            var before = _config!.Read();
            var config = PluginConfig.LayOver(before, change);
            // While it is off, its schema alone decides; the plugin says its part when it is loaded.
            var strays = _config.Strays(before, change);
            var faults =
                strays.Count > 0 ? [.. strays, .. Read(config).Faults]
                : Plugin is null ? Read(config).Faults
                : await ReconfigureAsync(config, cancellationToken);
            if (faults.Count == 0)
            {
                try
                {
                    _config.Save(config);
                }
                catch (SqliteException)
                {
                    if (Plugin is not null)
                    {
                        // What would be forgotten at the next start must not be in force until then.
                        await ConfigureAsync(before, CancellationToken.None);
                    }
                    throw;
                }
            }
            return faults;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<IReadOnlyList<ConfigFault>> ReconfigureAsync(
        JsonObject config,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ConfigureAsync(config, cancellationToken);
        }
        catch (Exception e) when (e is not PluginException && !cancellationToken.IsCancellationRequested)
        {
            _log?.Logger.LogError(e, "{Plugin} failed over a config.", Name);
            if (e is IOException)
            {
                throw new PluginException(
                    StatusCodes.Status503ServiceUnavailable,
                    $"{Name} cannot take a config now, and this one was not kept: {Said(e)}",
                    e
                );
            }
            throw new PluginException(
                StatusCodes.Status500InternalServerError,
                $"{Name} failed over this config, which was not kept: {Said(e)}",
                e
            );
        }
    }

    private (JsonObject Values, IReadOnlyList<ConfigFault> Faults) Read(JsonObject config)
    {
        var faults = new List<ConfigFault>();
        return (Manifest!.ConfigSchema.Read(_config!.InForce(config).Values, faults), faults);
    }

    private async Task<IReadOnlyList<ConfigFault>> ConfigureAsync(
        JsonObject config,
        CancellationToken cancellationToken
    )
    {
        // A copy: what is stored is what the operator wrote, not what the plugin made of it.
        var (plugin, settings) = (Plugin!, _config!.InForce(config));
        var faults = await WithinAsync(
            () => plugin.ConfigureAsync(settings, cancellationToken).AsTask(),
            "taking a config"
        );
        if (faults.Count == 0)
        {
            (State, Detail, Faults) = (PluginState.Running, "", []);
            _hasRun = true;
        }
        else if (State is not PluginState.Running)
        {
            (State, Detail) = (PluginState.Unconfigured, "no valid config; the faults say what is wrong.");
            Faults = faults;
        }
        return faults;
    }
}
