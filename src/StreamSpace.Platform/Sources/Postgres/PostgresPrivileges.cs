using Npgsql;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Whose database it is, and what the role that we connect with may read, asked of the server.</summary>
/// <param name="Version">By its tables.</param>
/// <param name="Granted">What of all that is needed may be read.</param>
/// <param name="Absent">What of it is not there.</param>
internal sealed record PostgresPrivileges(
    StreamSpaceVersion Version,
    IReadOnlyList<RequiredColumns> Granted,
    IReadOnlyList<RequiredColumns> Absent
)
{
    private const string Sql = $"""
        SELECT need.tab, need.col, to_regclass('public.' || need.tab) IS NOT NULL,
            coalesce(has_column_privilege(a.attrelid, a.attnum, 'SELECT'), false), {PostgresStatements.IsV2}
        FROM unnest($1, $2) AS need(tab, col)
        LEFT JOIN pg_attribute a
            ON a.attrelid = to_regclass('public.' || need.tab) AND a.attname = need.col AND NOT a.attisdropped
        """;

    /// <summary>Which of the required columns are neither met nor absent: a right is missing.</summary>
    public IEnumerable<RequiredColumns> Denied => RequiredColumns.Of(Version).Except(Granted).Except(Absent);

    /// <summary>True when everything may be read.</summary>
    public bool Complete => Granted.Count == RequiredColumns.Of(Version).Length;

    /// <summary>True when <paramref name="columns"/> may be read.</summary>
    public bool Include(RequiredColumns columns) => Granted.Contains(columns);

    /// <summary>Asks the server.</summary>
    public static async Task<PostgresPrivileges> ReadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var pairs = Enum.GetValues<StreamSpaceVersion>()
            .SelectMany(RequiredColumns.Of)
            .SelectMany(n => n.Columns.Select(c => (n.Table, Column: c)))
            .Distinct()
            .ToList();
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. pairs.Select(p => p.Table)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. pairs.Select(p => p.Column)] },
            },
        };
        var version = StreamSpaceVersion.V1;
        var absent = new HashSet<string>(StringComparer.Ordinal);
        var readable = new HashSet<(string Table, string Column)>();
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var (table, column) = (rows.GetString(0), rows.GetString(1));
            if (!rows.GetBoolean(2))
            {
                absent.Add(table);
            }
            else if (rows.GetBoolean(3))
            {
                readable.Add((table, column));
            }
            version = rows.GetBoolean(4) ? StreamSpaceVersion.V2 : StreamSpaceVersion.V1;
        }
        var required = RequiredColumns.Of(version);
        return new PostgresPrivileges(
            version,
            [.. required.Where(n => n.Columns.All(c => readable.Contains((n.Table, c))))],
            [.. required.Where(n => absent.Contains(n.Table))]
        );
    }
}
