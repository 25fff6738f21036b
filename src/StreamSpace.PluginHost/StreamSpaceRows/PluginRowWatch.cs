using System.Runtime.CompilerServices;
using Npgsql;
using StreamSpace.Platform.Sources.Postgres;

namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>Watches a plugin's row in StreamSpace's database, so that StreamSpace's own page configures the plugin.</summary>
/// <param name="options">Where the database is.</param>
/// <param name="plugin">The plugin's name, which is the row's.</param>
/// <param name="clock">Our clock.</param>
internal sealed class PluginRowWatch(PostgresOptions options, string plugin, TimeProvider clock)
{
    // What an operator does on the page is obeyed within five seconds; there is no notice of it but looking.
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(3);

    private const int LargestConfig = 64 * 1024;

    // $1: the name, which is unique; $2: the largest config that is taken. Its size as it is stored, compressed, is known
    // without its being read, and keeps the server from writing out a huge one every few seconds.
    public const string Sql = """
        SELECT coalesce(enabled, false),
            CASE WHEN updated_at BETWEEN '1970-01-01' AND '2999-12-31' THEN updated_at END,
            CASE WHEN pg_column_size(config) <= $2 THEN
                CASE WHEN octet_length(config::text) <= $2 THEN config::text END END, config IS NULL
        FROM installed_plugins WHERE name = $1 LIMIT 1
        """;

    /// <summary>
    /// The first reading, and then every one that differs from the one before, until <paramref name="cancellationToken"/>
    /// fires. A database that is away is waited for, not thrown.
    /// </summary>
    public async IAsyncEnumerable<PluginRowReading> WatchAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var database = options.Open(readOnly: true);
        NpgsqlConnection? connection = null;
        try
        {
            for (PluginRowReading? before = null; ; )
            {
                PluginRowReading reading;
                try
                {
                    connection ??= await database.OpenConnectionAsync(cancellationToken);
                    reading = await ReadAsync(connection, cancellationToken);
                }
                catch (Exception e)
                    when (e is NpgsqlException or IOException or TimeoutException
                        && !cancellationToken.IsCancellationRequested
                    )
                {
                    reading = Failed(e);
                    await CloseAsync(connection);
                    connection = null;
                }
                if (reading != before)
                {
                    before = reading;
                    yield return reading;
                }
                await Task.Delay(Every, clock, cancellationToken);
            }
        }
        finally
        {
            await CloseAsync(connection);
        }
    }

    private async Task<PluginRowReading> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters = { PostgresStatements.Value(plugin), PostgresStatements.Value(LargestConfig) },
        };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken))
        {
            return new PluginRowReading(
                PluginRowState.Absent,
                null,
                $"installed_plugins in {options.Shown} has no row {plugin}: run the sub-command register to make it."
            );
        }
        var isTooLarge = rows.IsDBNull(2) && !rows.GetBoolean(3);
        var row = new PluginRow(
            rows.GetBoolean(0),
            isTooLarge ? null
                : rows.IsDBNull(2) ? "{}"
                : rows.GetString(2),
            rows.IsDBNull(1) ? null : options.At(rows.GetDateTime(1))
        );
        if (isTooLarge)
        {
            return new PluginRowReading(
                PluginRowState.TooLarge,
                row,
                $"The config in installed_plugins is larger than {LargestConfig} bytes, and is not read."
            );
        }
        return new PluginRowReading(PluginRowState.Present, row, $"Read from installed_plugins in {options.Shown}.");
    }

    private PluginRowReading Failed(Exception e) =>
        e switch
        {
            PostgresException { SqlState: PostgresErrorCodes.UndefinedTable } => new PluginRowReading(
                PluginRowState.Unreadable,
                null,
                $"There is no table installed_plugins in {options.Shown}; check DB_NAME."
            ),
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } => new PluginRowReading(
                PluginRowState.Unreadable,
                null,
                $"installed_plugins may not be read until the owner runs: {RequiredColumns.Plugins.Grant(options.User)}"
            ),
            _ => new PluginRowReading(
                PluginRowState.Unreachable,
                null,
                $"{options.Shown}: {PostgresErrorText.Of(e)} Tries again by itself."
            ),
        };

    private static ValueTask CloseAsync(NpgsqlConnection? connection) =>
        connection?.DisposeAsync() ?? ValueTask.CompletedTask;
}
