namespace AgentlessDatadog.Store.Sqlite;

/// <summary>SQLite could not do something (sqlite.org/rescode.html).</summary>
internal sealed class SqliteException(int code, string message) : Exception($"SQLite error {code}: {message}")
{
    /// <summary>A statement does not fit the tables.</summary>
    public const int Wrong = 1;
    public const int Busy = 5;
    public const int ReadOnly = 8;
    public const int IoError = 10;
    public const int Corrupt = 11;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int Constraint = 19;
    public const int NotADatabase = 26;

    /// <summary>What kind of failure it is: one of the constants, or another of SQLite's.</summary>
    public int Kind => Code & 0xFF;

    /// <summary>SQLite's extended code.</summary>
    public int Code => code;
}
