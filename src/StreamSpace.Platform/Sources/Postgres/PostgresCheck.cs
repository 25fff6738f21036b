using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>How a checked thing stands.</summary>
public enum PostgresVerdict
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>It works, and an operator should know.</summary>
    Warning,

    /// <summary>Something is lost until it is mended.</summary>
    Fault,
}

/// <summary>One checked thing.</summary>
/// <param name="What">What was checked, in a few words.</param>
/// <param name="Verdict">How it stands.</param>
/// <param name="Found">What was found, one sentence.</param>
/// <param name="Fix">What to do, or null when there is nothing to do.</param>
public sealed record PostgresFinding(string What, PostgresVerdict Verdict, string Found, string? Fix = null);

/// <summary>Checks all that we need of StreamSpace's database.</summary>
public static class PostgresProbe
{
    /// <summary>What findings about the plugin's row are called.</summary>
    public const string Page = "StreamSpace's page Admin → Plugins";

    private static readonly TimeSpan LargestSkew = TimeSpan.FromSeconds(30);

    /// <summary>One finding for each need, in the order in which they are to be mended.</summary>
    /// <param name="options">Where the database is.</param>
    /// <param name="plugin">The plugin's name, which is that of its row.</param>
    /// <param name="schema">Tells which keys of its config are secrets.</param>
    /// <param name="clock">Our clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<PostgresFinding>> CheckAsync(
        PostgresOptions options,
        string plugin,
        ConfigSchema schema,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var findings = new List<PostgresFinding>();
        try
        {
            await using var database = options.Open(readOnly: true);
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            findings.Add(new("postgresql", PostgresVerdict.Good, $"Reaches {options.Shown} as {options.User}."));
            var rights = await PostgresRights.ReadAsync(connection, cancellationToken);
            findings.AddRange(PostgresNeed.All.Select(n => Right(n, rights, options)));

            var before = clock.GetUtcNow();
            var look = await PostgresLook.AtAsync(
                connection,
                new PostgresQuestion(rights, null, "", ""),
                cancellationToken
            );
            findings.Add(Skew(look.Now - before));
            if (look.NewestId is { } newest)
            {
                var last = new PostgresQuestion(rights, new AuditPosition(newest - 1), "", "");
                look = await PostgresLook.AtAsync(connection, last, cancellationToken);
                findings.AddRange(look.Audit!.Take(1).Select(r => Zone(look.Now - options.At(r.Start), options)));
            }
            if (rights.Meets(PostgresNeed.Plugins))
            {
                var watch = new PluginRowWatch(options, plugin, clock);
                findings.AddRange(Row(await watch.LookAsync(connection, cancellationToken), schema));
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
        {
            findings.Add(
                new("postgresql", PostgresVerdict.Fault, $"Fails at {options.Shown}.", PostgresFault.Sentence(e))
            );
        }
        return findings;
    }

    private static PostgresFinding Right(PostgresNeed need, PostgresRights rights, PostgresOptions options)
    {
        var what = $"postgresql, table {need.Table}";
        return rights.Meets(need) ? new(what, PostgresVerdict.Good, $"May be read: {need.Purpose}.")
            : rights.Absent.Contains(need)
                ? new(
                    what,
                    PostgresVerdict.Fault,
                    $"Is not there: no {need.Purpose}.",
                    "Set DB_NAME to StreamSpace's database, and start its API once: it makes the tables."
                )
            : new(what, PostgresVerdict.Fault, $"May not be read: no {need.Purpose}.", need.Grant(options.User));
    }

    private static PostgresFinding Skew(TimeSpan skew)
    {
        var found = string.Create(
            CultureInfo.InvariantCulture,
            $"The database's clock is {skew.TotalSeconds:+0.0;-0.0;0.0} s against ours."
        );
        return skew.Duration() <= LargestSkew
            ? new("postgresql, clock", PostgresVerdict.Good, found)
            : new("postgresql, clock", PostgresVerdict.Fault, found, "Have both machines keep time by NTP.");
    }

    // The API writes a row for every request, and whatever runs it asks for its health every few seconds.
    private static PostgresFinding Zone(TimeSpan age, PostgresOptions options)
    {
        const string what = "postgresql, DB_TIME_ZONE";
        var found = string.Create(
            CultureInfo.InvariantCulture,
            $"The newest row of audit_log is {age.TotalMinutes:0.0} minutes old, read in {options.TimeZone.Id}."
        );
        return age < -LargestSkew
                ? new(what, PostgresVerdict.Fault, found, "Set DB_TIME_ZONE to the time zone of StreamSpace's API.")
            : age > TimeSpan.FromMinutes(10)
                ? new(
                    what,
                    PostgresVerdict.Warning,
                    found,
                    "Set DB_TIME_ZONE to the time zone of StreamSpace's API, unless the API does not run."
                )
            : new(what, PostgresVerdict.Good, found);
    }

    private static IEnumerable<PostgresFinding> Row(PluginRowSight sight, ConfigSchema schema)
    {
        if (sight.Row is not { } row)
        {
            yield return sight.State is PluginRowState.Absent
                ? new(
                    Page,
                    PostgresVerdict.Warning,
                    "Has no row for the plugin: the page does not configure it.",
                    "Run the sub-command register."
                )
                : new(Page, PostgresVerdict.Warning, sight.Detail, "Write a smaller config.");
            yield break;
        }
        yield return row.Enabled
            ? new(Page, PostgresVerdict.Good, "Has the plugin, enabled.")
            : new(Page, PostgresVerdict.Warning, "Has the plugin, disabled: nothing is sent.", "Enable it there.");

        var secrets = Secrets(row.Config, schema);
        if (secrets.Count > 0)
        {
            yield return new(
                Page,
                PostgresVerdict.Warning,
                $"Holds {string.Join(" and ", secrets)} in clear text, which StreamSpace shows to every user who is signed in.",
                $"Take {(secrets.Count == 1 ? "it" : "them")} out there and give it in the environment (DD_API_KEY, DD_APP_KEY); then make a new key, for the old one was seen."
            );
        }
    }

    private static List<string> Secrets(string config, ConfigSchema schema)
    {
        try
        {
            return JsonNode.Parse(config) is JsonObject values
                ?
                [
                    .. values
                        .Where(v => schema.IsSecret(v.Key) && v.Value?.ToString() is { Length: > 0 })
                        .Select(v => v.Key),
                ]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
