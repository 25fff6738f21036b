namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>The SQL that an owner of StreamSpace's database runs for us.</summary>
public static class PostgresGrants
{
    /// <summary>
    /// Makes a role that may read what we read and nothing else: columns, not tables, so that neither password
    /// hashes nor e-mail addresses are within reach.
    /// </summary>
    /// <param name="role">The role, as in <c>DB_USER</c>.</param>
    /// <param name="database">The database, as in <c>DB_NAME</c>.</param>
    public static string Read(string role, string database) =>
        string.Join(
            '\n',
            [
                $"CREATE ROLE {Quoted(role)} LOGIN PASSWORD 'choose one' CONNECTION LIMIT 4;",
                $"ALTER ROLE {Quoted(role)} SET default_transaction_read_only = on;",
                $"GRANT CONNECT ON DATABASE {Quoted(database)} TO {Quoted(role)};",
                $"GRANT USAGE ON SCHEMA public TO {Quoted(role)};",
                .. RequiredColumns.Of(StreamSpaceVersion.V1).Select(n => n.Grant(role)),
            ]
        );

    /// <summary>What such a role may read besides once StreamSpace is version 2; its API has to have made the tables.</summary>
    /// <param name="role">The role, as in <c>DB_USER</c>.</param>
    public static string ReadV2(string role) =>
        string.Join(
            '\n',
            RequiredColumns
                .Of(StreamSpaceVersion.V2)
                .Except(RequiredColumns.Of(StreamSpaceVersion.V1))
                .Select(n => n.Grant(role))
        );

    /// <summary>A name as SQL takes it, whatever is in it.</summary>
    internal static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
