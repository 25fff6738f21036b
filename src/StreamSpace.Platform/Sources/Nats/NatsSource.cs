using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using StreamSpace.Platform.Sessions;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>
/// Hears what StreamSpace publishes about sessions on NATS: plain subscriptions, never a JetStream consumer, which
/// would drain the platform's work queues (docs/reference/streamspace.md §4.4). What was published while it was deaf is
/// read back from the platform's stream, where there is one.
/// </summary>
public sealed class NatsSource : ISource
{
    private const string Messages = "Messages";
    private static readonly BackOff Retry = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(8));
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<string> _hosts;
    private readonly NatsOpts _options;
    private readonly string _servers;
    private readonly TimeProvider _clock;
    private readonly Func<double> _random;
    private readonly ILogger _logger;

    private readonly MessageIntake _intake;
    private volatile StreamBackfill? _backfill;
    private readonly SourceHealth _health;

    /// <summary>Connects to nothing yet.</summary>
    /// <exception cref="ArgumentException">The URL holds something that is no address.</exception>
    public NatsSource(NatsOptions options, TimeProvider clock, Func<double> random, ILogger logger)
    {
        _servers = NatsServers.Shown(options.Url);
        _hosts = NatsServers.Hosts(options.Url);
        _clock = clock;
        _random = random;
        _logger = logger;
        _health = new SourceHealth(Name, [Messages], clock, logger)
        {
            WhileUp = () =>
                _backfill?.Detail is { Length: > 0 } more ? $"Hears {_servers}; {more}." : $"Hears {_servers}.",
            WhileDown = () => $"{_servers} is not heard. Tries again by itself.",
        };
        _intake = new MessageIntake(_health, clock);
        _options = NatsOpts.Default with
        {
            Url = options.Url,
            Name = "streamspace-datadog",
            AuthOpts = string.IsNullOrEmpty(options.User)
                ? NatsAuthOpts.Default
                : NatsAuthOpts.Default with
                {
                    Username = options.User,
                    Password = options.Password,
                },
            PingInterval = TimeSpan.FromSeconds(20),
        };
    }

    /// <summary>How often the server is asked whether StreamSpace's API is connected.</summary>
    internal TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For so long the API may be away before that is told: it may be restarting.</summary>
    internal TimeSpan MissingTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public string Name => "nats";

    /// <inheritdoc/>
    public SourceStatus Status => _health.Status;

    /// <inheritdoc/>
    public bool IsCatchingUp => _health.IsUp && _backfill is { CaughtUp.IsCompleted: false };

    /// <inheritdoc/>
    public async Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        var backfill = new StreamBackfill(Name, Position(checkpoint), _intake, output, _clock, _logger);
        _backfill = backfill;
        var live = new LiveMessages(Name, _intake, backfill, output, _clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var handingOn = live.HandOnAsync(stop.Token);
        try
        {
            for (var failures = 1; ; failures++)
            {
                var begun = _clock.GetUtcNow();
                try
                {
                    await HearAsync(live, backfill, output, cancellationToken);
                    failures = 0;
                    _health.Fails(Messages, "The connection was lost.");
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    _health.Fails(Messages, Reason(e), since: begun);
                }
                await Task.Delay(Retry.After(Math.Max(failures, 1), _random()), _clock, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            await stop.CancelAsync();
            await handingOn.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _health.Stop();
        }
    }

    private StreamPosition? Position(string? checkpoint)
    {
        var position = checkpoint is null ? null : StreamPosition.Parse(checkpoint);
        if (checkpoint is not null && position is null)
        {
            _logger.LogWarning("The checkpoint of {Source} is not understood: nothing older is read back.", Name);
        }
        return position;
    }

    // Connects and hears until the connection is lost.
    private async Task HearAsync(
        LiveMessages live,
        StreamBackfill backfill,
        ChannelWriter<ObservationBatch> output,
        CancellationToken cancellationToken
    )
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var connection = new NatsConnection(_options);
        var stream = new SessionStream(connection, _clock);
        connection.ConnectionDisconnected += (_, _) =>
        {
            lost.TrySetResult();
            return ValueTask.CompletedTask;
        };
        connection.ServerError += (_, error) =>
        {
            if (error.Kind is not NatsServerErrorKind.PermissionsViolation)
            {
                return ValueTask.CompletedTask;
            }
            // Which right it lacks is only in the server's words.
            if (SessionSubjects.All.Any(s => error.Error.Contains(s, StringComparison.OrdinalIgnoreCase)))
            {
                refused.TrySetException(new NatsException(error.Error));
            }
            else
            {
                stream.Refuse();
            }
            return ValueTask.CompletedTask;
        };
        await connection.ConnectAsync().AsTask().WaitAsync(cancellationToken);
        backfill.Begin();
        // The library holds subscriptions weakly and silently ends those that are collected: these are held here.
        var subscriptions = SessionSubjects
            .All.Select(subject => new SubjectSubscription(
                connection,
                subject,
                (on, body) => live.TakeAsync(on, body, stop.Token)
            ))
            .ToList();
        foreach (var subscription in subscriptions)
        {
            await connection.AddSubAsync(subscription, cancellationToken);
        }
        // The answer to a ping comes after the server has seen the subscriptions, and after what it says of them.
        using (var timeout = new CancellationTokenSource(AnswerTimeout, _clock))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken))
        {
            await connection.PingAsync(either.Token);
        }
        var (reading, looking) = (Task.CompletedTask, Task.CompletedTask);
        try
        {
            if (refused.Task.IsFaulted)
            {
                await refused.Task;
            }
            _health.Works(Messages);
            reading = backfill.RunAsync(stream, stop.Token);
            looking = LookForApiAsync(connection.ServerInfo?.Id, output, stop.Token);
            await await Task.WhenAny(lost.Task, refused.Task, reading).WaitAsync(cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            GC.KeepAlive(subscriptions);
        }
    }

    // Whether StreamSpace's API is connected to this server, for as long as we are.
    private async Task LookForApiAsync(
        string? server,
        ChannelWriter<ObservationBatch> output,
        CancellationToken cancellationToken
    )
    {
        using var monitor = new NatsMonitor(_hosts);
        DateTimeOffset? missingSince = null;
        while (true)
        {
            var (isKnown, since) = await monitor.LookAsync(ApiHealth.Name, server, cancellationToken);
            var now = _clock.GetUtcNow();
            missingSince = isKnown && since is null ? missingSince ?? now : null;
            if (since is not null || now - missingSince >= MissingTimeout)
            {
                var seen = new ApiConnectionSeen(since, missingSince ?? now);
                await output.WriteAsync(new ObservationBatch(Name, [seen]), cancellationToken);
            }
            await Task.Delay(LookEvery, _clock, cancellationToken);
        }
    }

    // Never the library's own words: they may repeat an address with its credentials.
    private static string Reason(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner.Message.Contains("authorization", StringComparison.OrdinalIgnoreCase))
            {
                return "The server refuses us; set NATS_USER and NATS_PASSWORD to a user that may connect.";
            }
            if (inner.Message.Contains("permissions violation", StringComparison.OrdinalIgnoreCase))
            {
                return "The user may not subscribe; grant it streamspace.session.create, .delete, .hibernate, .wake and .status.";
            }
            if (inner is System.Security.Authentication.AuthenticationException)
            {
                return "TLS failed; the server's certificate must be valid for the name in NATS_URL.";
            }
        }
        return "Does not answer; check NATS_URL and that the server runs.";
    }
}
