using System.Diagnostics;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Logging;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Signals.Metrics;
using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentlessDatadog;

/// <summary>
/// Telemetry to Datadog without an Agent: aggregates, encodes, keeps, and sends. Any thread may use it.
/// </summary>
public sealed class TelemetryPipeline : IAsyncDisposable
{
    private readonly ITelemetryStore _file;
    private readonly GuardedStore _store;
    private readonly DatadogClock _clock;
    private readonly ILogger _logger;
    private readonly Connections _connections;
    private readonly SeriesTable _table;
    private readonly Ledger _ledger = new();
    private readonly Warnings _warnings;
    private readonly Watchdog _watchdog;
    private readonly Outbox _outbox;
    private readonly SelfReport _self;
    private readonly Journal _journal;
    private readonly PipelineLoop _loop;
    private readonly LaneSender[] _lanes;
    private readonly FlushTimer _timer;
    private readonly PipelineEnd _end;
    private Task _canary = Task.CompletedTask;
    private Task _asking = Task.CompletedTask;
    private readonly CancellationTokenSource _stop = new();
    private Action<DateTimeOffset> _observers = _ => { };
    private Task _running = Task.CompletedTask;
    private string? _damage;
    private bool _isDisposed;

    // Written by the loop, once it has started.
    private volatile TelemetryOptions _options;
    private volatile DatadogClient? _intake;

    /// <summary>Makes a pipeline that sends nothing until it is started. Handles can be had at once.</summary>
    /// <param name="storePath">
    /// The file that keeps what is under way; it is made when there is none, in a folder that must exist. One pipeline may use it
    /// at a time.
    /// </param>
    /// <param name="options">Where telemetry goes and how.</param>
    /// <param name="clock">The only clock; by default this machine's.</param>
    /// <param name="random">Uniform in [0, 1); spreads the retries of many senders.</param>
    /// <param name="logger">What went wrong goes here, never with a key; by default nowhere.</param>
    /// <param name="handler">Makes the way through a proxy, or through none; by default one that verifies TLS.</param>
    /// <exception cref="ArgumentException">An option cannot be used; the message says which.</exception>
    public TelemetryPipeline(
        string storePath,
        TelemetryOptions options,
        TimeProvider? clock = null,
        Func<double>? random = null,
        ILogger? logger = null,
        Func<Uri?, HttpMessageHandler>? handler = null
    )
        : this(
            new SqliteStore(storePath, clock ?? TimeProvider.System),
            options,
            clock ?? TimeProvider.System,
            random ?? AnyNumber,
            logger ?? NullLogger.Instance,
            handler
        ) { }

    internal TelemetryPipeline(
        ITelemetryStore store,
        TelemetryOptions options,
        TimeProvider clock,
        Func<double> random,
        ILogger logger,
        Func<Uri?, HttpMessageHandler>? handler = null
    )
    {
        _file = store;
        options.Verify();
        _warnings = new Warnings(logger, clock);
        _clock = new DatadogClock(clock);
        _store = new GuardedStore(store, clock, _warnings);
        _options = options;
        _logger = logger;
        _connections = new Connections(handler ?? DatadogClient.Connect);
        _table = new SeriesTable(_clock);
        _table.UseGlobalTags(options.Tags);
        _outbox = new Outbox(_store, _ledger, _clock);
        _self = new SelfReport(_table, _ledger, _outbox, _clock);
        // What goes wrong with sending logs, or with keeping anything, must not become another log entry.
        var unsent = new UnsentLogger(logger);
        var expiry = new Expiry(_outbox, _warnings, unsent);
        var hooks = new LoopHooks(Observe, () => _self.Write(_loop!.LastFlush?.Took ?? default), Configured, AskTime);
        _journal = new Journal(_store, _outbox, _clock, unsent);
        _store.Failed = _journal.TryLater;
        _loop = new PipelineLoop(_journal, _table, expiry, _clock, hooks, unsent);
        _lanes =
        [
            .. Lane.All.Select(lane => new LaneSender(
                lane,
                _outbox,
                new BackOff(random),
                _self.CountRequest,
                _clock,
                lane == Lane.Logs ? unsent : logger
            )),
        ];
        _watchdog = new Watchdog(
            [
                new("The loop that commits and flushes", _loop.Working, Restart: null),
                new("The observation of gauges", _loop.Observation.Heartbeat, _loop.Observation.Leave),
                new("The encoding of a flush", _loop.Encoding, _loop.RestartEncoding),
                .. _lanes.Select(lane => new Stage($"The lane {lane.Lane}", lane.Sending, lane.Restart)),
            ],
            _warnings
        );
        _timer = new FlushTimer(_clock, Tick);
        _end = new PipelineEnd(_loop, _store, _journal, _lanes, _clock, logger);
    }

    /// <summary>How it stands.</summary>
    public TelemetryStatus Status =>
        new(
            [
                .. _lanes
                    .Select(lane => (lane.Lane, Status: lane.Status(_ledger)))
                    .Where(lane => lane.Lane.IsOn(_options) || lane.Status.Ledger.Queued > 0)
                    .Select(lane => lane.Status),
            ],
            _outbox.Status,
            _table.CountByMetric(),
            _table.Count,
            _loop.LastFlush
        )
        {
            ClockSkew = _clock.Skew,
            ClockError = _clock.IsAlarming ? _clock.Error : _loop.Held,
            Warnings = _warnings.Current,
            Elsewhere = _outbox.Elsewhere(_options.Destination),
            StoreDamage = _damage,
        };

    /// <summary>
    /// The time of day by which points are stamped: this machine's, put right by Datadog's where they differ by a minute or
    /// more. Timestamps of it are this machine's.
    /// </summary>
    public TimeProvider Clock => _clock;

    /// <summary>What <see cref="Clock"/> adds to this machine's; zero while that is right.</summary>
    internal TimeSpan ClockCorrection => _clock.Correction;

    /// <summary>
    /// Why nothing can be kept now, in a sentence, or null: the store fails, or the loop stands still.
    /// </summary>
    public string? StoreError => _store.Error ?? _watchdog.Stuck;

    /// <summary>Opens the store, brings back what an earlier process left there, and begins to flush and send.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        var contents = await _store.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (contents.Quarantined is { } damaged)
        {
            _damage =
                $"The telemetry store was damaged ({damaged.Reason}) and is set aside as {damaged.Path}: the queue and the "
                + "ledger begin anew.";
            _logger.LogError("{Damage}", _damage);
        }
        else if (contents.LogDamage is { } lost)
        {
            _damage = $"{lost} The queue and the ledger go on from what was kept before.";
            _logger.LogError("{Damage}", _damage);
        }
        _ledger.Book(contents.Ledger);
        _self.BeginFrom(_ledger);
        _outbox.Expired.Add(contents.Expired);
        _outbox.AddBacklog(contents.Outbox, contents.LastRequest);
        // What the loops do, and log, is no part of what its starter was at.
        Activity.Current = null;
        await _loop.StartAsync(contents, _options).ConfigureAwait(false);
        _running = Task.WhenAll([_loop.RunAsync(), .. _lanes.Select(lane => lane.RunAsync(_stop.Token))]);
    }

    /// <summary>
    /// Calls back on the loop just before each flush, with the flush's second: the time to set gauges. It must be quick.
    /// </summary>
    public void ObserveGauges(Action<DateTimeOffset> callback) => _observers += callback;

    /// <summary>
    /// Keeps signals; returns when the store has committed them. What Datadog would not take is in the ledger as rejected, with
    /// the reason; the rest is kept all the same. Spans and log entries become requests at the flush, many in one; events at
    /// once.
    /// </summary>
    /// <exception cref="ArgumentNullException">A signal, or something in one that must not be, is null.</exception>
    /// <exception cref="StoreUnavailableException">The store fails, and nothing was kept, or does not answer.</exception>
    /// <exception cref="InvalidOperationException">The pipeline has been stopped.</exception>
    public ValueTask KeepAsync(IReadOnlyList<Signal> signals, CancellationToken cancellationToken = default) =>
        TakeAsync(new PendingWrite(), signals, cancellationToken);

    /// <summary>
    /// Keeps what a stretch of a caller's stream says, and that the stream has come so far, in one transaction: nothing of it
    /// counts twice, also when the caller did not learn that it was kept and hands it in again, in other pieces or from
    /// another process. A stretch that says nothing moves the stream all the same.
    /// </summary>
    /// <exception cref="PositionMovedException">The stream does not stand where the stretch begins. Nothing was kept.</exception>
    /// <exception cref="StoreUnavailableException">The store fails, and nothing was kept, or does not answer.</exception>
    /// <exception cref="ArgumentException">The stream has no name, or the stretch does not lead forward.</exception>
    /// <exception cref="InvalidOperationException">The pipeline has been stopped.</exception>
    public ValueTask KeepAsync(
        IReadOnlyList<Signal> signals,
        StreamRange range,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(range.Stream, nameof(range));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(range.From, range.To, nameof(range));
        return TakeAsync(new PendingWrite { Range = range }, signals, cancellationToken);
    }

    /// <summary>How far a caller's stream is durable; 0 for one of which nothing is known. Known once it is started.</summary>
    public long Position(string stream) => _journal.Positions.Of(stream);

    /// <summary>
    /// Like <see cref="KeepAsync(IReadOnlyList{Signal}, CancellationToken)"/>, for a call that may come again: what comes with
    /// a key that was seen within 48 h is not kept once more.
    /// </summary>
    /// <param name="key">Names the call.</param>
    /// <param name="contents">Tells its contents from others', as a hash of them.</param>
    /// <param name="signals">What is to be kept.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyReusedException">The key was seen with other contents.</exception>
    /// <exception cref="StoreUnavailableException">The store fails, and nothing was kept, or does not answer.</exception>
    /// <exception cref="InvalidOperationException">The pipeline has been stopped.</exception>
    public ValueTask KeepOnceAsync(
        string key,
        string contents,
        IReadOnlyList<Signal> signals,
        CancellationToken cancellationToken
    ) => TakeAsync(new PendingWrite { Call = (key, contents) }, signals, cancellationToken);

    /// <summary>Every reason why Datadog would not take a measurement, in one line; null when it would.</summary>
    public string? Check(Measurement measurement) =>
        MeasurementRules.Errors(
            measurement,
            _table.TypeError(measurement.Metric, measurement.Type)
                ?? IntakeBatch.TypeError(measurement, _journal.Types),
            _clock.GetUtcNow()
        );

    /// <summary>
    /// Lets a name that items gave (<see cref="Measurement.IsItem"/>) have another type from now on, which it otherwise never
    /// has, over restarts; returns when that is durable, false when no item gave the name. Datadog itself keeps the type that
    /// it knows until it is changed there.
    /// </summary>
    /// <exception cref="MetricInUseException">It is in use.</exception>
    /// <exception cref="StoreUnavailableException">The store fails, or does not answer.</exception>
    public async ValueTask<bool> ReleaseMetricAsync(string metric, CancellationToken cancellationToken = default)
    {
        if (_journal.Types.Of(metric) is null)
        {
            return false;
        }

        await TakeAsync(new PendingWrite { ReleasedName = metric }, [], cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>A gauge to hold on to, and to dispose when what it measures has gone.</summary>
    /// <exception cref="ArgumentException">The name or unit is bad, or the name has another type already.</exception>
    public Gauge Gauge(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Gauge)Hold(metric, MetricType.Gauge, tags, unit);

    /// <summary>A count to hold on to. What it holds is not journaled: a crash loses what no flush has taken.</summary>
    /// <exception cref="ArgumentException">The name or unit is bad, or the name has another type already.</exception>
    public Counter Counter(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Counter)Hold(metric, MetricType.Count, tags, unit);

    /// <summary>A distribution to hold on to. What it holds is not journaled: a crash loses what no flush has taken.</summary>
    /// <exception cref="ArgumentException">The name or unit is bad, or the name has another type already.</exception>
    public Distribution Distribution(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Distribution)Hold(metric, MetricType.Distribution, tags, unit);

    /// <summary>
    /// Goes on with new options. Where they alter what was measured so far, that is flushed before, with the options so far, as
    /// soon as a second is free for it, which takes a second or two. When that flush cannot be made or kept it throws, and the
    /// options stay as they are.
    /// </summary>
    /// <exception cref="ArgumentException">An option cannot be used; the message says which.</exception>
    /// <exception cref="StoreUnavailableException">The flush is held because of the clock, or could not be kept.</exception>
    public async ValueTask ConfigureAsync(TelemetryOptions options, CancellationToken cancellationToken = default)
    {
        options.Verify();
        await _loop.FlushAsync(options).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Flushes as soon as a second is free; returns when the requests are in the outbox.</summary>
    /// <exception cref="StoreUnavailableException">The flush is held because of the clock, or could not be kept.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        await _loop.FlushAsync().WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Flushes before the interval is over; leaves it to the next one when the last flush was not before this second, for a
    /// process that is started again and again must not run ahead of the time of day.
    /// </summary>
    public async ValueTask FlushEarlyAsync(CancellationToken cancellationToken = default) =>
        await _loop.FlushEarlyAsync().WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Asks Datadog about the API key.</summary>
    /// <exception cref="InvalidOperationException">The pipeline has not been started.</exception>
    public async ValueTask<KeyVerdict> CheckKeyAsync(CancellationToken cancellationToken = default)
    {
        var intake = _intake ?? throw new InvalidOperationException("The pipeline has not been started.");
        return await intake.CheckKeyAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends a canary, a signal that means nothing, through each lane that is on, past the queue and the ledger, and says what
    /// was answered; takes 25 s at most.
    /// </summary>
    /// <exception cref="InvalidOperationException">The pipeline has not been started.</exception>
    public async ValueTask<IReadOnlyList<LaneTest>> TestAsync(CancellationToken cancellationToken = default)
    {
        var intake = _intake ?? throw new InvalidOperationException("The pipeline has not been started.");
        return await new Canaries(_options, _clock).SendAsync(intake, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes nothing more, flushes, and sends until everything is sent that can be, or the token fires: that is no error,
    /// what is left stays in the store. A last flush carries what the pipeline has counted about itself until then.
    /// </summary>
    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        if (!_timer.HasBegun || _stop.IsCancellationRequested)
        {
            return;
        }

        await _timer.DisposeAsync().ConfigureAwait(false);
        try
        {
            await _end.StopAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
            var ledger = string.Join("; ", Status.Lanes.Select(lane => $"{lane.Lane} {lane.Ledger}"));
            _logger.LogInformation("Telemetry pipeline stopped: {Ledger}", ledger);
        }
    }

    /// <summary>Ends at once, without a flush. What is kept stays in the store, which is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync().ConfigureAwait(false);
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await EndAsync().ConfigureAwait(false);
        _connections.Dispose();
        _stop.Dispose();
        await _file.DisposeAsync().ConfigureAwait(false);
    }

    // Whoever gives no source of chance wants any.
#pragma warning disable RS0030
    private static double AnyNumber() => Random.Shared.NextDouble();
#pragma warning restore RS0030

    private async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _end.EndAsync(_running).ConfigureAwait(false);
    }

    private Series Hold(string metric, MetricType type, IReadOnlyList<string> tags, string? unit)
    {
        if ((MeasurementRules.NameError(metric) ?? MeasurementRules.UnitError(unit)) is { } error)
        {
            throw new ArgumentException(error, nameof(metric));
        }

        return _table.Hold(metric, type, tags, unit);
    }

    private async ValueTask TakeAsync(
        PendingWrite write,
        IReadOnlyList<Signal> signals,
        CancellationToken cancellationToken
    )
    {
        var sorted = write.With(signals, _options, _clock.GetUtcNow());
        await _loop.KeepAsync(sorted).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Tick()
    {
        _watchdog.Look(_options.FlushInterval);
        var error = _clock.Error ?? _loop.Held;
        _warnings.Set(WarningKind.Clock, "clock", error, _clock.IsAlarming ? LogLevel.Error : LogLevel.Warning);
        if (_canary.IsCompleted)
        {
            _canary = _loop.KeepAsync(PendingWrite.Canary());
        }

        _ = _loop.FlushEarlyAsync();
    }

    private void AskTime()
    {
        if (_asking.IsCompleted && _intake is { HasKey: true } intake)
        {
            _asking = AskAsync(intake);
        }

        async Task AskAsync(DatadogClient intake)
        {
            await ((Task)intake.CheckKeyAsync(_stop.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // What was held need not wait for the interval.
            if (!_clock.IsInDoubt)
            {
                await _loop.FlushEarlyAsync().ConfigureAwait(false);
            }
        }
    }

    private void Observe(DateTimeOffset second)
    {
        foreach (var observer in Delegate.EnumerateInvocationList(_observers))
        {
            try
            {
                observer(second);
            }
            // One that fails must not cost the others their points.
            catch (Exception error)
            {
                _logger.LogError(error, "Gauges could not be observed");
            }
        }
    }

    private void Configured(TelemetryOptions options)
    {
        _options = options;
        _intake = new DatadogClient(_connections, options, _clock);
        _table.UseGlobalTags(options.Tags);
        _self.Use(options);
        foreach (var lane in _lanes)
        {
            lane.Use(_intake);
        }

        _timer.Use(options.FlushInterval);
    }
}
