using SQLitePCL;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>A statement that is prepared once. Values go in by the order of its parameters.</summary>
internal sealed class SqliteStatement(SqliteDatabase database, sqlite3_stmt handle) : IDisposable
{
    /// <summary>Runs it to its end.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Run(params ReadOnlySpan<object?> values) => Read(_ => true, values);

    /// <summary>Runs it to its end, and reads each row that it yields by the methods below.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public List<T> Read<T>(Func<SqliteStatement, T> read, params ReadOnlySpan<object?> values)
    {
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                Bind(i + 1, values[i]);
            }

            List<T> rows = [];
            while (true)
            {
                switch (raw.sqlite3_step(handle))
                {
                    case raw.SQLITE_ROW:
                        rows.Add(read(this));
                        break;
                    case raw.SQLITE_DONE:
                        return rows;
                    default:
                        throw database.Failure();
                }
            }
        }
        finally
        {
            _ = raw.sqlite3_reset(handle);
            _ = raw.sqlite3_clear_bindings(handle);
        }
    }

    public long Number(int column) => raw.sqlite3_column_int64(handle, column);

    /// <summary>Empty for NULL.</summary>
    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string() ?? "";

    public string? TextOrNull(int column) =>
        raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL ? null : Text(column);

    public byte[] Bytes(int column) => raw.sqlite3_column_blob(handle, column).ToArray();

    public void Dispose() => handle.Dispose();

    private void Bind(int parameter, object? value)
    {
        var code = value switch
        {
            null => raw.sqlite3_bind_null(handle, parameter),
            string text => raw.sqlite3_bind_text(handle, parameter, text),
            // Without a byte in it, a blob would be taken for NULL.
            ReadOnlyMemory<byte> { IsEmpty: true } => raw.sqlite3_bind_zeroblob(handle, parameter, 0),
            ReadOnlyMemory<byte> bytes => raw.sqlite3_bind_blob(handle, parameter, bytes.Span),
            long number => raw.sqlite3_bind_int64(handle, parameter, number),
            _ => throw new ArgumentException($"A {value.GetType().Name} cannot be a value.", nameof(value)),
        };
        if (code != raw.SQLITE_OK)
        {
            throw database.Failure();
        }
    }
}
