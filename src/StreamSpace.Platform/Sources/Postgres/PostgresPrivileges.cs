using Npgsql;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>What the role that we connect with may read, asked of the server.</summary>
internal sealed record PostgresPrivileges(IReadOnlyList<RequiredColumns> Granted, IReadOnlyList<RequiredColumns> Absent)
{
    private const string Sql = """
        SELECT need.tab, need.col, to_regclass('public.' || need.tab) IS NOT NULL,
            coalesce(has_column_privilege(a.attrelid, a.attnum, 'SELECT'), false)
        FROM unnest($1, $2) AS need(tab, col)
        LEFT JOIN pg_attribute a
            ON a.attrelid = to_regclass('public.' || need.tab) AND a.attname = need.col AND NOT a.attisdropped
        """;

    /// <summary>Which of the required columns are neither met nor absent: a right is missing.</summary>
    public IEnumerable<RequiredColumns> Denied => RequiredColumns.All.Except(Granted).Except(Absent);

    /// <summary>True when everything may be read.</summary>
    public bool Complete => Granted.Count == RequiredColumns.All.Length;

    /// <summary>True when <paramref name="columns"/> may be read.</summary>
    public bool Include(RequiredColumns columns) => Granted.Contains(columns);

    /// <summary>Asks the server.</summary>
    public static async Task<PostgresPrivileges> ReadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var pairs = RequiredColumns.All.SelectMany(n => n.Columns.Select(c => (n.Table, Column: c))).ToList();
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. pairs.Select(p => p.Table)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. pairs.Select(p => p.Column)] },
            },
        };
        var absent = new HashSet<string>(StringComparer.Ordinal);
        var denied = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var table = rows.GetString(0);
            if (!rows.GetBoolean(2))
            {
                absent.Add(table);
            }
            else if (!rows.GetBoolean(3))
            {
                denied.Add(table);
            }
        }
        return new PostgresPrivileges(
            [.. RequiredColumns.All.Where(n => !absent.Contains(n.Table) && !denied.Contains(n.Table))],
            [.. RequiredColumns.All.Where(n => absent.Contains(n.Table))]
        );
    }
}
