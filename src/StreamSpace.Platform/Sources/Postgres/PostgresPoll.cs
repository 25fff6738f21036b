using System.Text.Json;
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

    /// <summary>Whose tables they are.</summary>
    public required StreamSpaceVersion Version { get; init; }

    /// <summary>The agents of version 2 that were approved.</summary>
    public IReadOnlyList<AgentRow>? Agents { get; init; }

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

    /// <summary>A page of sessions; of version 2 those that were changed lately come first.</summary>
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
        var describes = privileges.Include(RequiredColumns.Sessions);
        var states = privileges.Include(RequiredColumns.SessionStates);
        var audit = privileges.Include(RequiredColumns.Audit);

        // Without a transaction of their own, the statements of a batch are one transaction, which the session's
        // defaults make read-only and of one snapshot.
        await using var batch = connection.CreateBatch();
        var head = Head(audit, agents: privileges.Include(RequiredColumns.Agents));
        batch.BatchCommands.Add(audit ? With(head, Value(position?.High ?? -1)) : With(head));
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
        var (after, since, size) = cursor.Sessions;
        if (states)
        {
            batch.BatchCommands.Add(
                With(SessionStates, Value(after), Value(size), Wall(since), Value(SessionTableScan.OpenStates))
            );
        }
        else if (describes)
        {
            batch.BatchCommands.Add(With(PostgresStatements.Sessions, Value(after), Value(size)));
        }

        PostgresPoll poll;
        await using (var rows = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await rows.ReadAsync(cancellationToken);
            poll = new PostgresPoll
            {
                Privileges = privileges,
                Now = await rows.GetFieldValueAsync<DateTimeOffset>(0, cancellationToken),
                Version = rows.GetBoolean(1) ? StreamSpaceVersion.V2 : StreamSpaceVersion.V1,
                Agents = privileges.Include(RequiredColumns.Agents) ? ReadAgents(Text(rows, 2)) : null,
                NewestId = rows.IsDBNull(3) ? null : rows.GetInt64(3),
                Anchor = Time(rows, 4),
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
            if (states || describes)
            {
                var page = await NextAsync<SessionRow>(rows, states ? SessionState : Session, cancellationToken);
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

    private static SessionRow SessionState(NpgsqlDataReader row) =>
        Session(row) with
        {
            State = Text(row, 5),
            UpdatedAt = Time(row, 6),
            HasAgent = row.GetBoolean(7),
            IsOfPage = row.GetBoolean(8),
        };

    private static List<AgentRow> ReadAgents(string? json)
    {
        using var agents = JsonDocument.Parse(json ?? "[]");
        return
        [
            .. agents
                .RootElement.EnumerateArray()
                .Select(a => new AgentRow(
                    a[0].GetString()!,
                    a[1].GetString(),
                    a[2].ValueKind is JsonValueKind.True,
                    a[3].ValueKind is JsonValueKind.Null ? null : a[3].GetDateTime()
                ))
                .Where(a => Names.Of(a.Id) is not null),
        ];
    }

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
                "/api/v1/auth/logout" => AuditKind.LogOut,
                "202" => AuditKind.CreateTaken,
                _ => AuditKind.CreateRefused,
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
