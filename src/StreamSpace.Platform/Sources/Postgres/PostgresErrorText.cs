using System.Security.Authentication;
using Npgsql;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>What went wrong with PostgreSQL, in a sentence that says what to do and repeats no secret.</summary>
internal static class PostgresErrorText
{
    /// <summary>The sentence for <paramref name="e"/>.</summary>
    public static string Of(Exception e) =>
        e switch
        {
            PostgresException server => Of(server),
            NpgsqlException { InnerException: AuthenticationException } =>
                "TLS failed; the server's certificate must be valid for DB_HOST, or set DB_SSL_MODE to what the server offers.",
            NpgsqlException { InnerException: TimeoutException } or TimeoutException =>
                "Answers too slowly; check the load of the server and the network.",
            NpgsqlException when e.Message.Contains("SSL", StringComparison.Ordinal) =>
                "The server does not offer TLS; set DB_SSL_MODE to disable, or switch TLS on there.",
            NpgsqlException when e.Message.Contains("password", StringComparison.OrdinalIgnoreCase) =>
                "The server asks for a password; set DB_PASSWORD.",
            NpgsqlException or IOException or System.Net.Sockets.SocketException =>
                "Does not answer; check DB_HOST, DB_PORT and that the server runs.",
            _ => $"Broke with {e.GetType().Name}; it is logged.",
        };

    private static string Of(PostgresException e) =>
        e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                "The server refuses us; set DB_USER and DB_PASSWORD to a role that may connect (and DB_SSL_MODE to what it demands).",
            PostgresErrorCodes.InvalidCatalogName => "There is no such database; check DB_NAME.",
            PostgresErrorCodes.InsufficientPrivilege =>
                "The role may not do this; the grants are in docs/postgresql.md.",
            PostgresErrorCodes.TooManyConnections =>
                "The server has no connection left; raise max_connections, or the role's connection limit.",
            PostgresErrorCodes.CannotConnectNow => "The server is starting or stopping.",
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown => "The server stopped.",
            PostgresErrorCodes.ProtocolViolation =>
                "Something between us and the server refuses our session's settings, as a pooler does; connect to the server itself.",
            PostgresErrorCodes.QueryCanceled => "A statement took longer than 5 s and was given up.",
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn =>
                "The tables are not those of StreamSpace; check DB_NAME.",
            _ => $"The server answers with error {e.SqlState}.",
        };
}
