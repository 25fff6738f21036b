using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using StreamSpace.PluginHost.StreamSpaceRows;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// Puts configs in force in a plugin's copy: the one it begins with, those of callers, and those of StreamSpace's own page.
/// While no copy is loaded the schema alone decides; the plugin says its part when it is loaded.
/// </summary>
internal sealed class PluginConfigurator(
    PluginSlot plugin,
    PluginConfig config,
    PluginConfigurator? before,
    Func<CancellationToken, Task> settle
)
{
    private const string UninstalledThere =
        "StreamSpace has uninstalled it: its row has gone, and nothing is sent until it is enabled here, or the sub-command register makes the row again.";

    private const string MendThere = "Mend it there: on StreamSpace's page, Admin → Plugins.";

    /// <summary>What is kept, and what StreamSpace's row says.</summary>
    public PluginConfig Config { get; } = Under(config, before);

    /// <summary>What was found of that row, in sentences, or null when no database is attached.</summary>
    public string? RowDetail { get; private set; } = before?.RowDetail;

    /// <summary>What of that row is not applied, or cannot be read.</summary>
    public IReadOnlyList<CheckFinding> RowFindings { get; private set; } = before?.RowFindings ?? [];

    /// <summary>
    /// The config in force; while the plugin is off, what is kept, switched off where that is one of its settings. Secrets are
    /// left out by the plugin and once more by the schema.
    /// </summary>
    public JsonObject InForce =>
        plugin.Manifest!.ConfigSchema.WithoutSecrets(
            plugin.IsLoaded
                ? plugin.Ask(p => p.Config, nobody: [], broken: _ => [])
                : plugin.Manifest.ConfigSchema.Read(WithSwitch.Values, [])
        );

    /// <summary>
    /// Where each of these settings comes from: as the plugin says, else by what the host itself has laid one over the
    /// other. Empty while no config is in force.
    /// </summary>
    public IReadOnlyDictionary<string, SettingSource> Origins
    {
        get
        {
            var said = plugin.Ask(p => new Dictionary<string, SettingSource>(p.Origins), nobody: [], broken: _ => []);
            if (said.Count > 0 || InForce.Count == 0)
            {
                return said;
            }
            var settings = WithSwitch;
            return plugin.Manifest!.ConfigSchema.Keys.ToDictionary(
                key => key,
                key => new SettingSource(settings.OriginOf(key), [])
            );
        }
    }

    /// <summary>
    /// Lays <paramref name="change"/> over what is kept (an absent key stays, a null clears) and puts the result in force and
    /// in the store; or returns the errors, and all stays as it was. Null when the config is no longer the one of
    /// <paramref name="ifMatch"/>: somebody else has changed it.
    /// </summary>
    /// <param name="change">Some keys.</param>
    /// <param name="ifMatch">The tag of the config that the change was made for; null for any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PluginException">It has been uninstalled, is at something else, or fails over the config.</exception>
    public async Task<IReadOnlyList<ConfigError>?> ChangeAsync(
        JsonObject change,
        string? ifMatch,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<ConfigError> errors;
        using (var turn = await plugin.Turn.TakeAsync(PluginSlot.TurnTimeout, cancellationToken))
        {
            if (turn is null)
            {
                throw PluginException.Busy(plugin.Name);
            }
            if (plugin.State.Phase is PluginPhase.Uninstalled)
            {
                // What is kept of it was forgotten, and must not come back.
                throw PluginException.Gone(plugin.Name);
            }
            if (ifMatch is not null && ifMatch != Config.Tag)
            {
                return null;
            }
            errors = await ChangeAsync(change, cancellationToken);
        }
        if (errors.Count == 0)
        {
            await settle(cancellationToken);
        }
        return errors;
    }

    /// <summary>
    /// Lets StreamSpace's row win over what is kept, or no longer. Of a row with errors only the switch counts, when it is off:
    /// the rest stays as it was in force, and <see cref="RowDetail"/> says what is wrong.
    /// </summary>
    public async Task UseRowAsync(PluginRowReading reading, CancellationToken cancellationToken)
    {
        RowDetail = reading.Detail;
        if (reading.State is PluginRowState.Unreadable or PluginRowState.Unreachable)
        {
            // Of a database that is away its source tells.
            RowFindings =
                reading.State is PluginRowState.Unreachable
                    ? RowFindings
                    : [OfRow(reading.Detail, "Mend that in the database.")];
            return;
        }
        using var turn = await plugin.Turn.TakeAsync(cancellationToken);
        if (plugin.State.Phase is PluginPhase.Uninstalled)
        {
            return;
        }
        var findings = new List<CheckFinding>();
        var warnings = new List<string>();
        var row = Config.Row;
        Config.Take(reading, warnings);
        // Of a secret there the plugin tells.
        findings.AddRange(
            warnings
                .Where(w => !plugin.Manifest!.ConfigSchema.IsSecret(w.Split(' ')[0]))
                .Select(w => OfRow($"In StreamSpace's row of {plugin.Name}, {w}", MendThere))
        );
        if (reading.State is PluginRowState.TooLarge)
        {
            findings.Add(OfRow(reading.Detail, "Write a smaller config there."));
        }
        if (Config.IsUninstalledThere)
        {
            RowDetail = UninstalledThere;
        }
        try
        {
            var errors = plugin.IsLoaded ? await ApplyAsync(Config.Read(), cancellationToken) : [];
            if (errors.Count > 0)
            {
                findings.Add(Refused(string.Join(" ", errors)));
                Config.Row = reading.Row is { } unusable ? RowLayer.Unusable(unusable, row) : row;
                if (Config.Row != row)
                {
                    await ApplyAsync(Config.Read(), cancellationToken);
                }
            }
            Config.SaveRow();
        }
        catch (PluginException e)
        {
            Config.Row = row;
            findings.Add(Refused(e.Message));
        }
        catch (SqliteException e)
        {
            findings.Add(
                OfRow(
                    $"StreamSpace's row of {plugin.Name} is in force, and cannot be kept over a restart: {e.Message}",
                    "Make room on the disk of the data folder, and write the row again."
                )
            );
        }
        RowFindings = findings;
        if (findings.Count > 0)
        {
            RowDetail = $"{RowDetail} {string.Join(" ", findings.Select(f => f.Found))}";
        }

        CheckFinding Refused(string why) =>
            OfRow(
                $"StreamSpace's row of {plugin.Name} is not applied, and what was in force before stays: {why}",
                MendThere
            );
    }

    /// <summary>An operator enables it here: that StreamSpace has uninstalled it counts no more.</summary>
    public async Task EnableHereAsync(CancellationToken cancellationToken)
    {
        using var turn = await plugin.Turn.TakeAsync(cancellationToken);
        if (Config.IsUninstalledThere)
        {
            Config.Row = null;
            Config.SaveRow();
            (RowDetail, RowFindings) = (null, []);
            if (plugin.IsLoaded)
            {
                await ApplyAsync(Config.Read(), cancellationToken);
            }
        }
    }

    /// <summary>
    /// Gives a copy the config that it begins with. It is loaded by now, whatever its config does: an operator can mend that.
    /// To be called by whoever has the turn.
    /// </summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        var log = plugin.Log!.Logger;
        try
        {
            await ConfigureAsync(Config.Read(), cancellationToken);
            plugin.State = plugin.State with { ConfigIsTriedAgain = false };
            plugin.Databases!.Remember(log);
            if (Config.SecretsLost)
            {
                plugin.State = plugin.State with
                {
                    Detail = "its stored secrets cannot be decrypted, for the key ring is another: set them again.",
                };
                log.LogWarning("{Plugin}: {Detail}", plugin.Name, plugin.State.Detail);
            }
        }
        catch (PluginIsolatedException)
        {
            // Isolated, which says it all.
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            plugin.State = new(
                PluginPhase.Unconfigured,
                "its first config was given up when something else was to be done."
            )
            {
                ConfigIsTriedAgain = true,
            };
        }
        catch (Exception e)
        {
            if (!plugin.State.ConfigIsTriedAgain)
            {
                log.LogError(e, "{Plugin} failed over its config; it is tried again until it works.", plugin.Name);
            }
            plugin.State = new(PluginPhase.Unconfigured, $"it failed over its config: {plugin.ErrorText(e)}")
            {
                ConfigIsTriedAgain = true,
            };
        }
    }

    /// <summary>Gives a plugin that threw over its first config that config once more; true when it runs then.</summary>
    public async Task<bool> BeginAgainAsync(CancellationToken cancellationToken)
    {
        using var turn = await plugin.Turn.TakeAsync(cancellationToken);
        // Somebody may have configured it, or unloaded it.
        if (plugin.State.ConfigIsTriedAgain)
        {
            await BeginAsync(cancellationToken);
        }
        return plugin.State.Phase is PluginPhase.Running;
    }

    private async Task<IReadOnlyList<ConfigError>> ChangeAsync(JsonObject change, CancellationToken cancellationToken)
    {
        var kept = Config.Read();
        var wanted = PluginConfig.Over(kept, change);
        var row = Config.Row;
        if (Config.IsUninstalledThere && change["enabled"]?.ToString() is "true")
        {
            Config.Row = null;
        }
        var astray = Config.WithSecretsAstray(kept, change);
        var errors =
            astray.Count > 0 ? [.. astray, .. Config.Check(wanted).Errors]
            : plugin.IsLoaded ? await ApplyAsync(wanted, cancellationToken)
            : Config.Check(wanted).Errors;
        if (errors.Count > 0)
        {
            Config.Row = row;
        }
        else
        {
            try
            {
                Config.Save(wanted);
                Config.SaveRow();
            }
            catch (SqliteException) when (plugin.IsLoaded)
            {
                // What would be forgotten at the next start must not be in force until then.
                Config.Row = row;
                await ApplyAsync(kept, CancellationToken.None);
                throw;
            }
        }
        return errors;
    }

    private async Task<IReadOnlyList<ConfigError>> ApplyAsync(JsonObject kept, CancellationToken cancellationToken)
    {
        try
        {
            return await ConfigureAsync(kept, cancellationToken);
        }
        catch (Exception e) when (e is not PluginException && !cancellationToken.IsCancellationRequested)
        {
            plugin.Log?.Logger.LogError(e, "{Plugin} failed over a config.", plugin.Name);
            throw PluginException.OverConfig(plugin.Name, plugin.ErrorText(e), e);
        }
    }

    private async Task<IReadOnlyList<ConfigError>> ConfigureAsync(JsonObject kept, CancellationToken cancellationToken)
    {
        // A copy: what is stored is what the operator wrote, not what the plugin made of it.
        var settings = Config.InForce(kept);
        var instance = plugin.Instance;
        var errors = await plugin.CallAsync(
            instance,
            copy => copy.ConfigureAsync(settings, cancellationToken).AsTask(),
            "taking a config",
            cancellationToken
        );
        if (instance != plugin.Instance)
        {
            // It came back from this and was isolated for something else.
            throw new PluginIsolatedException($"{plugin.Name}: {plugin.State.Detail}");
        }
        if (errors.Count == 0)
        {
            plugin.State = new(PluginPhase.Running);
            plugin.HasRun = true;
        }
        else if (plugin.State.Phase is not PluginPhase.Running)
        {
            plugin.State = new(PluginPhase.Unconfigured, "no valid config; the errors say what is wrong.")
            {
                Errors = errors,
                ConfigIsTriedAgain = plugin.State.ConfigIsTriedAgain,
            };
        }
        return errors;
    }

    private static CheckFinding OfRow(string found, string fix) =>
        new(PluginRowCheck.Page, CheckVerdict.Warning, found, fix);

    // Switched off here is what a call of the API has set, too, and wins over all.
    private PluginSettings WithSwitch
    {
        get
        {
            var settings = Config.InForce(Config.Read());
            return Config.Enabled || !plugin.Manifest!.ConfigSchema.Keys.Contains("enabled")
                ? settings
                : settings.With(new JsonObject { ["enabled"] = false }, SettingOrigin.Saved);
        }
    }

    private static PluginConfig Under(PluginConfig config, PluginConfigurator? before)
    {
        config.Row = before is null ? config.Row : before.Config.Row;
        return config;
    }
}
