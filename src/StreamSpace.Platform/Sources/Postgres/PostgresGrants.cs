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
                .. RequiredColumns.All.Select(n => n.Grant(role)),
            ]
        );

    /// <summary>What is needed besides to write our rows into StreamSpace's catalogue. The owner of the tables may as well do that.</summary>
    /// <param name="role">The role, as in <c>DB_USER</c>.</param>
    public static string Register(string role) =>
        string.Join(
            '\n',
            $"GRANT SELECT (id, role) ON public.users TO {Quoted(role)};",
            $"GRANT SELECT, INSERT, UPDATE ON public.catalog_plugins, public.installed_plugins TO {Quoted(role)};",
            $"GRANT USAGE ON SEQUENCE public.catalog_plugins_id_seq, public.installed_plugins_id_seq TO {Quoted(role)};"
        );

    /// <summary>A name as SQL takes it, whatever is in it.</summary>
    internal static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
