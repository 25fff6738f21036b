using Npgsql;
using StreamSpace.Plugins;
using static StreamSpace.Platform.PostgresStatements;

namespace StreamSpace.Platform;

/// <summary>Where a look begins.</summary>
/// <param name="Rights">What may be read.</param>
/// <param name="Audit">How far audit_log was seen, or null at a first look.</param>
/// <param name="AfterUser">The user id that the page before ended with.</param>
/// <param name="AfterSession">The session id that the page before ended with.</param>
internal sealed record PostgresQuestion(
    PostgresRights Rights,
    AuditPosition? Audit,
    string AfterUser,
    string AfterSession
);

/// <summary>
/// What one look at the database saw, all of it in one snapshot (the last log-ins a moment later). A part that may
/// not be read is null.
/// </summary>
internal sealed record PostgresLook
{
    /// <summary>What could be asked.</summary>
    public required PostgresRights Rights { get; init; }

    /// <summary>The server's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The highest id in audit_log, or null when it is empty.</summary>
    public long? NewestId { get; init; }

    /// <summary>The time of the row that we had come to, or null when it is gone.</summary>
    public DateTime? Anchor { get; init; }

    /// <summary>Rows not seen before, by id; null at a first look.</summary>
    public IReadOnlyList<AuditRow>? Audit { get; init; }

    /// <summary>Last log-ins in the time of the log-ins in <see cref="Audit"/>.</summary>
    public IReadOnlyList<LastLogin> LastLogins { get; init; } = [];

    /// <summary>A page of users.</summary>
    public IReadOnlyList<AccountRow>? Users { get; init; }

    /// <summary>A page of sessions.</summary>
    public IReadOnlyList<SessionRow>? Sessions { get; init; }

    /// <summary>Looks: one round trip of at most four statements, and a fifth when there were log-ins.</summary>
    /// <exception cref="NpgsqlException">The server is away, or refuses.</exception>
    public static async Task<PostgresLook> AtAsync(
        NpgsqlConnection connection,
        PostgresQuestion question,
        CancellationToken cancellationToken
    )
    {
        var (rights, position) = (question.Rights, question.Audit);
        var users = rights.Meets(PostgresNeed.Users);
        var sessions = rights.Meets(PostgresNeed.Sessions);
        var audit = rights.Meets(PostgresNeed.Audit);

        // Without a transaction of their own, the statements of a batch are one transaction, which the session's
        // defaults make read-only and of one snapshot.
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(audit ? With(Head, Value(position?.High ?? -1)) : With(Clock));
        if (users)
        {
            batch.BatchCommands.Add(With(PostgresStatements.Users, Value(question.AfterUser)));
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
            batch.BatchCommands.Add(With(PostgresStatements.Sessions, Value(question.AfterSession)));
        }

        PostgresLook look;
        await using (var rows = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await rows.ReadAsync(cancellationToken);
            look = new PostgresLook
            {
                Rights = rights,
                Now = await rows.GetFieldValueAsync<DateTimeOffset>(0, cancellationToken),
                NewestId = rows.IsDBNull(1) ? null : rows.GetInt64(1),
                Anchor = Time(rows, 2),
            };
            if (users)
            {
                var page = await NextAsync(rows, Account, cancellationToken);
                look = look with { Users = page };
            }
            if (audit && position is not null)
            {
                var page = await NextAsync(rows, Request, cancellationToken);
                page.Sort((a, b) => a.Id.CompareTo(b.Id));
                look = look with { Audit = page };
            }
            if (sessions)
            {
                var page = await NextAsync(rows, Session, cancellationToken);
                look = look with { Sessions = page };
            }
        }
        return users && look.Audit?.Where(r => r.Act is AuditAct.LogIn).ToList() is { Count: > 0 } logIns
            ? look with
            {
                LastLogins = await LastLoginsAsync(connection, logIns, cancellationToken),
            }
            : look;
    }

    private static async Task<List<LastLogin>> LastLoginsAsync(
        NpgsqlConnection connection,
        List<AuditRow> logIns,
        CancellationToken cancellationToken
    )
    {
        await using var batch = connection.CreateBatch();
        var (from, to) = (logIns.Min(r => LogIns.Begin(r)), logIns.Max(r => LogIns.End(r)));
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

    private static AccountRow Account(NpgsqlDataReader row) =>
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
                null => AuditAct.Request,
                "/api/v1/auth/login" => AuditAct.LogIn,
                _ => AuditAct.LogOut,
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
