using Microsoft.Data.Sqlite;

namespace StreamSpace.Platform.Store;

/// <summary>Statements whose parameters are $1, $2 … in their order.</summary>
internal static class SqliteStatements
{
    public static SqliteCommand Statement(this SqliteConnection connection, string sql) => new(sql, connection);

    public static SqliteCommand Statement(this SqliteTransaction transaction, string sql) =>
        new(sql, transaction.Connection, transaction);

    public static void Bind(this SqliteCommand command, params ReadOnlySpan<object> values)
    {
        command.Parameters.Clear();
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${i + 1}", values[i]);
        }
    }

    public static void Run(this SqliteCommand command, params ReadOnlySpan<object> values)
    {
        command.Bind(values);
        command.ExecuteNonQuery();
    }

    public static void Execute(this SqliteConnection connection, string sql)
    {
        using var command = connection.Statement(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>The first value of the first row, or null.</summary>
    public static object? Scalar(this SqliteConnection connection, string sql)
    {
        using var command = connection.Statement(sql);
        return command.ExecuteScalar();
    }
}
