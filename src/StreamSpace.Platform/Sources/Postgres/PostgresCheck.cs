using System.Globalization;
using Npgsql;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Checks all that we need of StreamSpace's database.</summary>
public static class PostgresCheck
{
    /// <summary>What nobody can tell of some sessions of version 2.</summary>
    internal const string DockerTellsNothing =
        "Agents of Docker report no state: their sessions are pending until they end.";

    private static readonly TimeSpan LargestSkew = TimeSpan.FromSeconds(30);

    /// <summary>One finding for each requirement, in the order in which they are to be mended.</summary>
    /// <param name="options">Where the database is.</param>
    /// <param name="clock">Our clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<CheckFinding>> CheckAsync(
        PostgresOptions options,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var findings = new List<CheckFinding>();
        try
        {
            await using var database = options.Open(readOnly: true);
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            findings.Add(new("postgresql", CheckVerdict.Good, $"Reaches {options.Shown} as {options.User}."));
            var privileges = await PostgresPrivileges.ReadAsync(connection, cancellationToken);
            findings.Add(Version(privileges.Version));
            findings.AddRange(RequiredColumns.Of(privileges.Version).Select(n => Right(n, privileges, options)));

            var before = clock.GetUtcNow();
            var poll = await PostgresPoll.ReadAsync(
                connection,
                new PollCursor(privileges, null, "", Nowhere),
                cancellationToken
            );
            findings.Add(Skew(poll.Now - before));
            findings.AddRange(Agents(poll.Agents));
            if (poll.NewestId is { } newest)
            {
                var last = new PollCursor(privileges, new AuditPosition(newest - 1), "", Nowhere);
                poll = await PostgresPoll.ReadAsync(connection, last, cancellationToken);
                findings.AddRange(poll.Audit!.Take(1).Select(r => Zone(poll.Now - options.At(r.Start), options)));
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
        {
            findings.Add(new("postgresql", CheckVerdict.Error, $"Fails at {options.Shown}.", PostgresErrorText.Of(e)));
        }
        return findings;
    }

    private static SessionsCursor Nowhere => new("", Since: null, PageSize: 1);

    private static CheckFinding Version(StreamSpaceVersion version) =>
        new(
            "postgresql, version",
            CheckVerdict.Good,
            version is StreamSpaceVersion.V2
                ? "StreamSpace 2, by its tables agents and agent_commands. A session that sleeps or has ended is known by the request, or by its Deployment; what it uses needs Kubernetes."
                : "StreamSpace 0.2: its rows say nothing about what is active."
        );

    private static IEnumerable<CheckFinding> Agents(IReadOnlyList<AgentRow>? agents)
    {
        const string what = "postgresql, agents";
        if (agents is null)
        {
            yield break;
        }
        yield return agents.Any(a => a.Connected)
            ? new(
                what,
                CheckVerdict.Good,
                $"{agents.Count(a => a.Connected)} of {agents.Count} approved are connected."
            )
            : new(
                what,
                CheckVerdict.Warning,
                agents.Count == 0
                    ? "None is approved: no session can be made."
                    : "None is connected: no session can be made.",
                "Approve an agent on StreamSpace's own pages, and see that it runs."
            );
        if (agents.Any(a => a.Platform is "docker"))
        {
            yield return new(what, CheckVerdict.Warning, DockerTellsNothing, "Nothing tells more.");
        }
    }

    private static CheckFinding Right(RequiredColumns columns, PostgresPrivileges privileges, PostgresOptions options)
    {
        var what = $"postgresql, table {columns.Table}";
        return privileges.Include(columns) ? new(what, CheckVerdict.Good, $"May be read: {columns.Purpose}.")
            : privileges.Absent.Contains(columns)
                ? new(
                    what,
                    CheckVerdict.Error,
                    $"Is not there: no {columns.Purpose}.",
                    "Set DB_NAME to StreamSpace's database, and start its API once: it makes the tables."
                )
            : new(what, CheckVerdict.Error, $"May not be read: no {columns.Purpose}.", columns.Grant(options.User));
    }

    private static CheckFinding Skew(TimeSpan skew)
    {
        var found = string.Create(
            CultureInfo.InvariantCulture,
            $"The database's clock is {skew.TotalSeconds:+0.0;-0.0;0.0} s against ours."
        );
        return skew.Duration() <= LargestSkew
            ? new("postgresql, clock", CheckVerdict.Good, found)
            : new("postgresql, clock", CheckVerdict.Error, found, "Have both machines keep time by NTP.");
    }

    // The API writes a row for every request, and whatever runs it asks for its health every few seconds.
    private static CheckFinding Zone(TimeSpan age, PostgresOptions options)
    {
        const string what = "postgresql, DB_TIME_ZONE";
        var found = string.Create(
            CultureInfo.InvariantCulture,
            $"The newest row of audit_log is {age.TotalMinutes:0.0} minutes old, read in {options.TimeZone.Id}."
        );
        return age < -LargestSkew
                ? new(what, CheckVerdict.Error, found, "Set DB_TIME_ZONE to the time zone of StreamSpace's API.")
            : age > TimeSpan.FromMinutes(10)
                ? new(
                    what,
                    CheckVerdict.Warning,
                    found,
                    "Set DB_TIME_ZONE to the time zone of StreamSpace's API, unless the API does not run."
                )
            : new(what, CheckVerdict.Good, found);
    }
}
