using Npgsql;
using StreamSpace.Plugins;
using static StreamSpace.Platform.Sources.Postgres.PostgresStatements;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// What one poll of the database saw, all of it in one snapshot (the last log-ins a moment later). A part that may
/// not be read is null.
/// </summary>
internal sealed record PostgresPoll
{
    /// <summary>What could be asked.</summary>
    public required PostgresPrivileges Privileges { get; init; }

    /// <summary>The server's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The highest id in audit_log, or null when it is empty.</summary>
    public long? NewestId { get; init; }

    /// <summary>The time of the row that we had come to, or null when it is gone.</summary>
    public DateTime? Anchor { get; init; }

    /// <summary>Rows not seen before, by id; null at a first poll.</summary>
    public IReadOnlyList<AuditRow>? Audit { get; init; }

    /// <summary>Last log-ins in the time of the log-ins in <see cref="Audit"/>.</summary>
    public IReadOnlyList<LastLogin> LastLogins { get; init; } = [];

    /// <summary>A page of users.</summary>
    public IReadOnlyList<UserRow>? Users { get; init; }

    /// <summary>A page of sessions.</summary>
    public IReadOnlyList<SessionRow>? Sessions { get; init; }

    /// <summary>Polls once: one round trip of at most four statements, and a fifth when there were log-ins.</summary>
    /// <exception cref="NpgsqlException">The server is away, or refuses.</exception>
    public static async Task<PostgresPoll> ReadAsync(
        NpgsqlConnection connection,
        PollCursor cursor,
        CancellationToken cancellationToken
    )
    {
        var (privileges, position) = (cursor.Privileges, cursor.Audit);
        var users = privileges.Include(RequiredColumns.Users);
        var sessions = privileges.Include(RequiredColumns.Sessions);
        var audit = privileges.Include(RequiredColumns.Audit);

        // Without a transaction of their own, the statements of a batch are one transaction, which the session's
        // defaults make read-only and of one snapshot.
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(audit ? With(Head, Value(position?.High ?? -1)) : With(Clock));
        if (users)
        {
            batch.BatchCommands.Add(With(PostgresStatements.Users, Value(cursor.AfterUser)));
        }
        if (audit && position is not null)
        {
            batch.BatchCommands.Add(
                With(
                    PostgresStatements.Audit,
                    Value(position.High),
                    Value(position.Holes.Select(h => h.Low).ToArray()),
                    Value(position.Holes.Select(h => h.High).ToArray())
                )
            );
        }
        if (sessions)
        {
            batch.BatchCommands.Add(With(PostgresStatements.Sessions, Value(cursor.AfterSession)));
        }

        PostgresPoll poll;
        await using (var rows = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await rows.ReadAsync(cancellationToken);
            poll = new PostgresPoll
            {
                Privileges = privileges,
                Now = await rows.GetFieldValueAsync<DateTimeOffset>(0, cancellationToken),
                NewestId = rows.IsDBNull(1) ? null : rows.GetInt64(1),
                Anchor = Time(rows, 2),
            };
            if (users)
            {
                var page = await NextAsync(rows, Account, cancellationToken);
                poll = poll with { Users = page };
            }
            if (audit && position is not null)
            {
                var page = await NextAsync(rows, Request, cancellationToken);
                page.Sort((a, b) => a.Id.CompareTo(b.Id));
                poll = poll with { Audit = page };
            }
            if (sessions)
            {
                var page = await NextAsync(rows, Session, cancellationToken);
                poll = poll with { Sessions = page };
            }
        }
        return users && poll.Audit?.Where(r => r.Kind is AuditKind.LogIn).ToList() is { Count: > 0 } logIns
            ? poll with
            {
                LastLogins = await LastLoginsAsync(connection, logIns, cancellationToken),
            }
            : poll;
    }

    private static async Task<List<LastLogin>> LastLoginsAsync(
        NpgsqlConnection connection,
        List<AuditRow> logIns,
        CancellationToken cancellationToken
    )
    {
        await using var batch = connection.CreateBatch();
        var (from, to) = (logIns.Min(r => LoginAttribution.Begin(r)), logIns.Max(r => LoginAttribution.End(r)));
        batch.BatchCommands.Add(With(PostgresStatements.LastLogins, Value(from), Value(to)));
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        var last = await ListAsync(
            rows,
            r => new LastLogin(new PlatformUser(r.GetString(0), Text(r, 1)), r.GetDateTime(2)),
            cancellationToken
        );
        last.RemoveAll(one => Names.Of(one.User.Id) is null);
        return last;
    }

    private static UserRow Account(NpgsqlDataReader row) =>
        new(row.GetString(0), Text(row, 1), Time(row, 2), row.GetBoolean(3));

    private static SessionRow Session(NpgsqlDataReader row) =>
        new(row.GetString(0), Text(row, 1), Text(row, 2), Text(row, 3), Time(row, 4));

    private static AuditRow Request(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetDateTime(1),
            Text(row, 2),
            Text(row, 3),
            Text(row, 4) switch
            {
                null => AuditKind.Request,
                "/api/v1/auth/login" => AuditKind.LogIn,
                _ => AuditKind.LogOut,
            },
            TimeSpan.FromMilliseconds(row.IsDBNull(5) ? 0 : row.GetInt32(5))
        );

    private static async Task<List<T>> NextAsync<T>(
        NpgsqlDataReader rows,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken
    )
    {
        await rows.NextResultAsync(cancellationToken);
        return await ListAsync(rows, read, cancellationToken);
    }

    private static async Task<List<T>> ListAsync<T>(
        NpgsqlDataReader rows,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken
    )
    {
        var list = new List<T>();
        while (await rows.ReadAsync(cancellationToken))
        {
            list.Add(read(rows));
        }
        return list;
    }

    // An empty text stands for none in the platform's rows.
    private static string? Text(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) || row.GetString(column) is not { Length: > 0 } text ? null : text;

    private static DateTime? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetDateTime(column);
}
