using System.Globalization;
using Npgsql;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>How to reach StreamSpace's PostgreSQL, in the words of its own API (docs/reference/streamspace.md §1.1).</summary>
public sealed record PostgresOptions
{
    // What the driver of StreamSpace's API knows, and what it means by it.
    private static readonly Dictionary<string, SslMode> SslModes = new(StringComparer.Ordinal)
    {
        ["disable"] = SslMode.Disable,
        ["require"] = SslMode.Require,
        ["verify-ca"] = SslMode.VerifyCA,
        ["verify-full"] = SslMode.VerifyFull,
    };

    /// <summary><c>DB_HOST</c>.</summary>
    public required string Host { get; init; }

    /// <summary><c>DB_PORT</c>, 1 to 65535.</summary>
    public int Port { get; init; } = 5432;

    /// <summary><c>DB_USER</c>.</summary>
    public string User { get; init; } = "streamspace";

    /// <summary><c>DB_PASSWORD</c>, or null for none.</summary>
    public string? Password { get; init; }

    /// <summary><c>DB_NAME</c>.</summary>
    public string Database { get; init; } = "streamspace";

    /// <summary><c>DB_SSL_MODE</c>: <c>disable</c>, <c>require</c>, <c>verify-ca</c>, <c>verify-full</c>.</summary>
    public string SslModeName { get; init; } = "disable";

    /// <summary>
    /// <c>PGSSLROOTCERT</c>: path of a PEM file with the authorities to trust; null for those of this machine. Where there
    /// is one, <c>require</c> means <c>verify-ca</c>, as it does for the API.
    /// </summary>
    public string? RootCertificate { get; init; }

    /// <summary>
    /// <c>DB_TIME_ZONE</c>: the zone of the API's process. The database keeps its wall clock without a zone
    /// (docs/reference/streamspace.md §5.1).
    /// </summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>The address for a person: nothing secret.</summary>
    public string Shown => $"{Database} on {Host}:{Port}";

    /// <summary>Reads the <c>DB_…</c> variables, and <c>PGSSLROOTCERT</c>.</summary>
    /// <param name="variable">Gives a variable, or null.</param>
    /// <param name="errors">Takes one sentence for each variable that is wrong.</param>
    /// <returns>Null when <c>DB_HOST</c> is not set, and when there are errors.</returns>
    public static PostgresOptions? Read(Func<string, string?> variable, ICollection<string> errors)
    {
        if (variable("DB_HOST") is not { Length: > 0 } host)
        {
            return null;
        }
        string Given(string name, string otherwise) => variable(name) is { Length: > 0 } text ? text.Trim() : otherwise;

        var before = errors.Count;
        if (
            !int.TryParse(Given("DB_PORT", "5432"), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535
        )
        {
            errors.Add("DB_PORT must be a number from 1 to 65535.");
        }
        var ssl = Given("DB_SSL_MODE", "disable");
        if (!SslModes.ContainsKey(ssl))
        {
            errors.Add($"DB_SSL_MODE must be one of {string.Join(", ", SslModes.Keys)}.");
        }
        var root = Given("PGSSLROOTCERT", "");
        if (ssl.StartsWith("verify", StringComparison.Ordinal) && root.Length > 0 && !File.Exists(root))
        {
            errors.Add($"PGSSLROOTCERT is {root}; there is no such file, or it may not be read.");
        }
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(Given("DB_TIME_ZONE", "UTC"), out var zone))
        {
            errors.Add("DB_TIME_ZONE must be a time zone that this machine knows, such as UTC or Europe/Berlin.");
        }
        return errors.Count > before
            ? null
            : new PostgresOptions
            {
                Host = host.Trim(),
                Port = port,
                User = Given("DB_USER", "streamspace"),
                Password = variable("DB_PASSWORD"),
                Database = Given("DB_NAME", "streamspace"),
                SslModeName = ssl,
                RootCertificate = File.Exists(root) ? root : null,
                TimeZone = zone!,
            };
    }

    /// <summary>Tells nothing: it holds a password.</summary>
    public override string ToString() => nameof(PostgresOptions);

    /// <summary>The moment that a column without a zone stands for.</summary>
    internal DateTimeOffset At(DateTime column) => new(column, TimeZone.GetUtcOffset(column));

    /// <summary>What a column without a zone says at a moment.</summary>
    internal DateTime Wall(DateTimeOffset moment) =>
        DateTime.SpecifyKind(TimeZoneInfo.ConvertTime(moment, TimeZone).DateTime, DateTimeKind.Unspecified);

    /// <summary>
    /// Where connections come from: each is opened anew and really closed, so that no session setting outlives it.
    /// </summary>
    /// <param name="readOnly">
    /// Has the server refuse every write, and give all statements of one round trip the same snapshot. A statement
    /// ends after 5 s either way.
    /// </param>
    internal NpgsqlDataSource Open(bool readOnly)
    {
        // What is said here goes before what the role was given with ALTER ROLE.
        var access = readOnly
            ? @"-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\ read"
            : "-c default_transaction_read_only=off";
        return NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder
            {
                Host = Host,
                Port = Port,
                Username = User,
                Password = Password,
                Database = Database,
                SslMode =
                    SslModeName is "require" && RootCertificate is not null ? SslMode.VerifyCA : SslModes[SslModeName],
                RootCertificate = RootCertificate,
                GssEncryptionMode = GssEncryptionMode.Disable,
                ApplicationName = "streamspace-datadog",
                Options = $"{access} -c statement_timeout=5s -c lock_timeout=2s",
                Pooling = false,
                Enlist = false,
                Timeout = 10,
                CommandTimeout = 15,
            }
        );
    }
}
