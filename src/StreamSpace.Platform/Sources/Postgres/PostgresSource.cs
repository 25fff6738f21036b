using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// Reads StreamSpace's database: users, log-ins and log-outs, and what it has on record about sessions. It only
/// reads; nothing is missed while it is away, for the rows are still there afterwards.
/// </summary>
public sealed class PostgresSource : ISource
{
    private static readonly BackOff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan CatchUpEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskPrivilegesEvery = TimeSpan.FromMinutes(1);
    private const string Polls = "Polls";

    private readonly PostgresOptions _options;
    private readonly Func<TimeSpan> _interval;
    private readonly TimeProvider _clock;
    private readonly Func<double> _random;
    private readonly ILogger _logger;
    private readonly SourceHealth _health;

    private volatile bool _isCatchingUp;
    private volatile string _reads = "";

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="options">Where the database is.</param>
    /// <param name="interval">The time from one poll to the next; asked after each.</param>
    /// <param name="clock">Our clock.</param>
    /// <param name="random">Uniform in [0, 1).</param>
    /// <param name="logger">For a database that goes or comes back.</param>
    public PostgresSource(
        PostgresOptions options,
        Func<TimeSpan> interval,
        TimeProvider clock,
        Func<double> random,
        ILogger logger
    )
    {
        _options = options;
        _interval = interval;
        _clock = clock;
        _random = random;
        _logger = logger;
        _health = new SourceHealth(Name, [Polls], clock, logger)
        {
            WhileUp = () => _reads,
            WhileDown = () =>
                $"{options.Shown} is not read. Tries again by itself; what happens meanwhile is read then.",
        };
    }

    /// <inheritdoc/>
    public string Name => "postgresql";

    /// <inheritdoc/>
    public SourceStatus Status => _health.Status;

    /// <inheritdoc/>
    public bool IsCatchingUp => _isCatchingUp;

    /// <inheritdoc/>
    public async Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        var progress = new PollProgress(_options, checkpoint, _logger);
        if (progress.Known is { } known)
        {
            await output.WriteAsync(new ObservationBatch(Name, [known]), cancellationToken);
        }
        await using var database = _options.Open(readOnly: true);
        try
        {
            for (var failures = 1; ; failures++)
            {
                try
                {
                    await PollAsync(database, progress, output, cancellationToken);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    failures = _health.IsUp ? 1 : failures;
                    Lost(e);
                }
                await Task.Delay(Retry.After(failures, _random()), _clock, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            _health.Stop();
        }
    }

    // Polls again and again on one connection, until it is lost.
    private async Task PollAsync(
        NpgsqlDataSource database,
        PollProgress progress,
        ChannelWriter<ObservationBatch> output,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var privileges = await PostgresPrivileges.ReadAsync(connection, cancellationToken);
        var (privilegesAt, polledAt) = (_clock.GetUtcNow(), _clock.GetUtcNow());
        while (true)
        {
            var before = _clock.GetUtcNow();
            var poll = await PostgresPoll.ReadAsync(connection, progress.Cursor(privileges), cancellationToken);
            var after = _clock.GetUtcNow();
            var (seen, checkpoint) = progress.Add(poll, before - polledAt);
            polledAt = before;
            var skew = poll.Now - (before + ((after - before) / 2));
            if (progress.Agents is { } agents)
            {
                seen = [.. seen, new AgentsSeen([.. agents.Select(a => AgentOf(a, skew))], poll.Now)];
            }
            _isCatchingUp = progress.IsBehindSessions;
            if (seen.Count > 0 || checkpoint is not null)
            {
                await output.WriteAsync(new ObservationBatch(Name, seen, checkpoint), cancellationToken);
            }
            _health.Received(1);
            Saw(progress, privileges, skew);

            var isUpgraded = poll.Version != privileges.Version;
            var wait = _interval();
            var isBehind = progress.IsBehindAudit || progress.IsBehindSessions || isUpgraded;
            await Task.Delay(isBehind && wait > CatchUpEvery ? CatchUpEvery : wait, _clock, cancellationToken);
            if (isUpgraded || (!privileges.Complete && _clock.GetUtcNow() - privilegesAt >= AskPrivilegesEvery))
            {
                privileges = await PostgresPrivileges.ReadAsync(connection, cancellationToken);
                privilegesAt = _clock.GetUtcNow();
            }
        }
    }

    private PlatformAgent AgentOf(AgentRow row, TimeSpan skew) =>
        new(row.Id, row.Platform, row.Connected, row.HeardAt is { } heard ? _options.At(heard) - skew : null);

    private void Saw(PollProgress progress, PostgresPrivileges privileges, TimeSpan skew)
    {
        var sentences = new List<string>
        {
            string.Create(
                CultureInfo.InvariantCulture,
                $"Reads {_options.Shown} as {_options.User}; its clock is {skew.TotalSeconds:+0.0;-0.0;0.0} s against ours."
            ),
        };
        if (progress.Users is { } users)
        {
            sentences.Add(string.Create(CultureInfo.InvariantCulture, $"{users} users."));
        }
        if (progress.LongNames > 0)
        {
            sentences.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{progress.LongNames} of them have a name of more than {Names.Longest} characters: they count, without it."
                )
            );
        }
        if (progress.Version is StreamSpaceVersion.V2)
        {
            sentences.AddRange(AboutV2(progress));
        }
        if (progress.IsBehindAudit)
        {
            sentences.Add("Catches up with audit_log.");
        }
        if (progress.ClockGap is { } gap)
        {
            sentences.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The API's times are {Math.Abs(gap.TotalHours):0.0} h {(gap > TimeSpan.Zero ? "behind" : "ahead of")} the database's clock: set DB_TIME_ZONE to the zone of the API."
                )
            );
        }
        sentences.AddRange(privileges.Absent.Select(n => $"There is no table {n.Table}, and so no {n.Purpose}."));
        sentences.AddRange(
            privileges.Denied.Select(n => $"No {n.Purpose} until the owner runs: {n.Grant(_options.User)}")
        );
        _reads = string.Join(' ', sentences);
        _health.Works(Polls);
    }

    private static IEnumerable<string> AboutV2(PollProgress progress)
    {
        yield return "It is StreamSpace 2: the rows of sessions tell what was asked for and when it ended.";
        if (progress.Agents is { } agents)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{agents.Count} approved agents, {agents.Count(a => a.Connected)} of them connected."
            );
            if (agents.Any(a => a.Platform is "docker"))
            {
                yield return PostgresCheck.DockerTellsNothing;
            }
        }
        if (progress.UnknownStates.Count > 0)
        {
            yield return $"Sessions in unknown states are left out: {string.Join(", ", progress.UnknownStates)}.";
        }
    }

    private void Lost(Exception e)
    {
        if (e is not NpgsqlException)
        {
            _logger.LogError(e, "A poll of PostgreSQL broke.");
        }
        _health.Fails(Polls, PostgresErrorText.Of(e));
    }
}
