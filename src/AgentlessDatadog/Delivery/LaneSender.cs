using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Delivery;

/// <summary>
/// Sends what waits for one lane, and sees to it that trouble there stays there: as many requests at once as the lane is
/// wide, of which one place is for live data alone, so that a backlog never holds it up.
/// </summary>
internal sealed class LaneSender(
    Lane lane,
    Outbox outbox,
    BackOff backOff,
    Action<Lane, int> sent,
    TimeProvider clock,
    ILogger logger
)
{
    private static readonly TimeSpan KeyCheckInterval = TimeSpan.FromSeconds(30);

    private readonly ChangeSource _reconfigured = new();
    private readonly ChangeSource _restarted = new();
    private readonly RequestSender _request = new(lane, outbox, sent, logger);
    private readonly FailedRequests _failed = new(outbox, clock);
    private readonly Warnings _warnings = new(logger, clock);
    private volatile DatadogClient? _client;
    private volatile State _state = new(LaneState.Open, null, null, null, null, null);

    // The last request that went alone, by its id.
    private long _probe;

    private sealed record State(
        LaneState Lane,
        Verdict? Verdict,
        int? Status,
        string? Error,
        DateTimeOffset? NextTry,
        ParkReason? ParkReason
    )
    {
        public DateTimeOffset? ErrorAt { get; init; }
    }

    public Lane Lane => lane;

    /// <summary>Requests are under way.</summary>
    public Heartbeat Sending { get; } = new();

    /// <summary>Whether it has nothing to send or cannot send now, so that a stop need not wait for it.</summary>
    public bool IsIdle =>
        _client is not { } client
        || _state.Lane == LaneState.Parked
        || outbox.IsEmpty(lane, client.Destination)
        || !outbox.MaySend(lane);

    public LaneStatus Status(Ledger ledger)
    {
        var state = _state;
        return new(lane.Name, state.Lane, state.Verdict, state.Status, state.Error, state.NextTry, ledger.Of(lane))
        {
            Unit = lane.Unit,
            LastErrorAt = state.ErrorAt,
            ParkReason = state.ParkReason,
            Failure = _failed.Current,
        };
    }

    /// <summary>Takes effect with the next request. Another far end, key or proxy ends any waiting.</summary>
    public void Use(DatadogClient client)
    {
        var isOther = IsReplacedBy(_client, client);
        _client = client;
        _failed.Keep(client.Destination);
        if (isOther)
        {
            _reconfigured.Raise();
        }
    }

    /// <summary>Leaves what is under way to itself, to be settled or given back whenever it ends, and goes on without it.</summary>
    public void Restart() => _restarted.Raise();

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await StepAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            // Whatever it was, the lane must come back to what still waits.
            catch (Exception error)
            {
                logger.LogError(error, "Lane {Lane} could not work on its queue", lane);
                var answer = IntakeResponse.None(error.Message);
                await BackOffAsync(_client, answer, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task StepAsync(CancellationToken stop)
    {
        var changed = outbox.Changed.Next;
        var reconfigured = _reconfigured.Next;
        TellFailure();
        if (_client is not { } client)
        {
            await reconfigured.WaitAsync(stop).ConfigureAwait(false);
            return;
        }
        if (outbox.HasWaiting(lane, client.Destination))
        {
            await GoOnAsync(client, await SendAsync(client, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        }
        else
        {
            await Task.WhenAny(changed, reconfigured).WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>Sends until nothing waits, or an answer says that the lane must not go on. Returns the answer that speaks for all.</summary>
    private async Task<IntakeResponse?> SendAsync(DatadogClient client, CancellationToken stop)
    {
        List<Task<Sent>> underWay = [];
        IntakeResponse? worst = null;
        var restarted = _restarted.Next;
        while (true)
        {
            var changed = outbox.Changed.Next;
            if (!IsFailure(worst) && _client == client && !stop.IsCancellationRequested)
            {
                Fill(underWay, client, stop);
            }

            if (underWay.Count == 0 || restarted.IsCompleted)
            {
                underWay.ForEach(left => _ = WakeAfterAsync(left));
                Sending.Rest();
                return worst;
            }
            await Task.WhenAny([.. underWay, changed, restarted]).ConfigureAwait(false);
            foreach (var ended in underWay.Where(task => task.IsCompleted).ToList())
            {
                underWay.Remove(ended);
                Sending.Beat();
                worst = Worse(worst, Booked(client, await TakeBackAsync(ended).ConfigureAwait(false)));
            }
        }
    }

    // What was left to itself may be given back when the lane waits for something to send.
    private async Task WakeAfterAsync(Task<Sent> left)
    {
        await TakeBackAsync(left).ConfigureAwait(false);
        outbox.Changed.Raise();
    }

    // Not before its answer is looked at: until then the lane does not know that it must wait.
    private async Task<IntakeResponse?> TakeBackAsync(Task<Sent> ended)
    {
        var sent = await ended.ConfigureAwait(false);
        if (sent.Unsettled is { } header)
        {
            outbox.Release(header);
            if (IsFailure(sent.Response))
            {
                _failed.Add(header, sent.Response!);
            }
        }
        else if (sent.Response is not null)
        {
            _failed.Pass();
        }

        return sent.Response;
    }

    private void Fill(List<Task<Sent>> underWay, DatadogClient client, CancellationToken stop)
    {
        var isProbing = backOff.IsProbing;
        var room = isProbing ? 1 : lane.Width;
        while (underWay.Count < room)
        {
            var liveAlone = lane.Width > 1 && underWay.Count == lane.Width - 1;
            // Another one each time: what fails because of itself would hold up all behind it.
            if (outbox.Take(lane, client.Destination, liveAlone, isProbing ? _probe : 0) is not { } header)
            {
                return;
            }

            if (isProbing)
            {
                _probe = header.Id;
            }

            if (underWay.Count == 0)
            {
                Sending.Beat();
            }

            underWay.Add(Task.Run(() => _request.SendAsync(client, header, stop), CancellationToken.None));
        }
    }

    // A probe that got through opens the lane at once: the rest of the backlog need not wait for the end of the round.
    private IntakeResponse? Booked(DatadogClient client, IntakeResponse? answer)
    {
        if (answer is null || IsFailure(answer))
        {
            return answer;
        }

        backOff.Succeeded();
        if (answer.Verdict == Verdict.Delivered)
        {
            outbox.Back(lane, client.Destination);
        }

        Show(LaneState.Open, answer, nextTry: null, reason: null);
        TellFailure();
        return answer;
    }

    private async Task GoOnAsync(DatadogClient client, IntakeResponse? answer, CancellationToken stop)
    {
        if (!IsFailure(answer))
        {
            return;
        }

        stop.ThrowIfCancellationRequested();
        TellFailure();
        if (answer!.Parks(lane))
        {
            await ParkAsync(client, answer, stop).ConfigureAwait(false);
        }
        else
        {
            await BackOffAsync(client, answer, stop).ConfigureAwait(false);
        }

        // Why it was parked holds until the next answer, which may be the same.
        var reason = IsReplacedBy(client, _client) ? null : _state.ParkReason;
        _state = _state with { Lane = LaneState.Open, NextTry = null, ParkReason = reason };
    }

    private async Task BackOffAsync(DatadogClient? client, IntakeResponse answer, CancellationToken stop)
    {
        var wait = backOff.Failed(answer.AskedFor);
        Tell($"The {lane} wait, and are sent again by themselves: {answer.Error}", LogLevel.Warning);
        await WaitAsync(LaneState.BackingOff, client, answer, null, wait, stop).ConfigureAwait(false);
    }

    // Comes back when the key is no longer refused: the next request is then the probe.
    private async Task ParkAsync(DatadogClient client, IntakeResponse answer, CancellationToken stop)
    {
        var reconfigured = _reconfigured.Next;
        if (IsReplacedBy(client, _client))
        {
            return;
        }

        backOff.Failed(null);
        outbox.MakeBacklog(lane);
        Show(LaneState.Parked, answer, nextTry: null, ParkReason.Unexplained);
        // A stop does not wait for a parked lane.
        outbox.Changed.Raise();
        var reason = ParkReason.Unexplained;
        KeyVerdict key;
        do
        {
            // Again where nobody could be asked the last time.
            if (reason == ParkReason.Unexplained)
            {
                var explaining = client.ExplainAsync(lane, answer, stop);
                await Task.WhenAny(explaining, reconfigured).ConfigureAwait(false);
                if (IsReplacedBy(client, _client))
                {
                    return;
                }

                (reason, var error) = await explaining.ConfigureAwait(false);
                answer = answer with { Error = error };
            }
            Tell($"The {lane} are kept and wait: {answer.Error}", LogLevel.Error);
            await WaitAsync(LaneState.Parked, client, answer, reason, KeyCheckInterval, stop).ConfigureAwait(false);
            if (IsReplacedBy(client, _client))
            {
                return;
            }

            var checking = client.CheckKeyAsync(stop);
            await Task.WhenAny(checking, reconfigured).ConfigureAwait(false);
            if (IsReplacedBy(client, _client))
            {
                return;
            }

            key = await checking.ConfigureAwait(false);
        } while (!client.LetsGoOn(lane, key));
    }

    // A new configuration ends the wait, also one that came while the last request was on its way.
    private async Task WaitAsync(
        LaneState state,
        DatadogClient? client,
        IntakeResponse answer,
        ParkReason? reason,
        TimeSpan wait,
        CancellationToken stop
    )
    {
        var reconfigured = _reconfigured.Next;
        if (IsReplacedBy(client, _client))
        {
            return;
        }

        outbox.MakeBacklog(lane);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        // It begins before it is told when it ends.
        var waited = Task.Delay(wait, clock, ended.Token);
        Show(state, answer, clock.GetUtcNow() + wait, reason);
        await Task.WhenAny(reconfigured, waited).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    private void Tell(string sentence, LogLevel level) => _warnings.Set(WarningKind.Lane, $"{lane}", sentence, level);

    // It is over once what failed has got through, not when something else has.
    private void TellFailure()
    {
        var failure = _failed.Current;
        if (failure is null)
        {
            _warnings.Set(WarningKind.Lane, $"{lane}", null);
        }
        _warnings.Set(WarningKind.Lane, $"request of {lane}", failure?.Alone);
    }

    // The same error again, as the retries of an outage, is as old as its first time. What was delivered has none.
    private void Show(LaneState lane, IntakeResponse answer, DateTimeOffset? nextTry, ParkReason? reason)
    {
        var before = _state;
        _state = new State(lane, answer.Verdict, answer.Status, answer.Error, nextTry, reason)
        {
            ErrorAt =
                answer.Error is null ? null
                : answer.Error == before.Error ? before.ErrorAt
                : clock.GetUtcNow(),
        };
    }

    // What waits because of one far end goes on waiting while only other things change.
    private static bool IsReplacedBy(DatadogClient? before, DatadogClient? now) =>
        before is null || now is null || !before.IsSameWayAs(now);

    private static bool IsFailure(IntakeResponse? answer) => Severity(answer) >= 2;

    private static IntakeResponse? Worse(IntakeResponse? one, IntakeResponse? other) =>
        (Severity(other), other?.AskedFor).CompareTo((Severity(one), one?.AskedFor)) > 0 ? other : one;

    // One answer speaks for the round: the one that asks most of the lane.
    private static int Severity(IntakeResponse? answer) =>
        answer?.Verdict switch
        {
            null => -1,
            Verdict.Delivered => 0,
            Verdict.Bad => 1,
            Verdict.Wait => 2,
            _ => 3,
        };
}
