using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>Sends what waits for one lane, and sees to it that trouble there stays there.</summary>
internal sealed class ShipLoop(
    Lane lane,
    int width,
    Outbox outbox,
    BackOff backOff,
    Action<Lane, int> sent,
    TimeProvider clock,
    ILogger logger
)
{
    private static readonly TimeSpan Recheck = TimeSpan.FromSeconds(30);

    private readonly Signal _reconfigured = new();
    private volatile Intake? _intake;
    private volatile State _state = new(LaneState.Open, null, null, null, null);

    private sealed record State(LaneState Lane, Verdict? Verdict, int? Status, string? Error, DateTimeOffset? NextTry);

    public Lane Lane => lane;

    /// <summary>Whether it has nothing to send or cannot send now, so that a stop need not wait for it.</summary>
    public bool IsIdle =>
        _intake is not { } intake || _state.Lane == LaneState.Parked || outbox.IsEmpty(lane, intake.Destination);

    public LaneStatus Status(Ledger ledger)
    {
        var state = _state;
        return new(lane, state.Lane, state.Verdict, state.Status, state.Error, state.NextTry, ledger.Of(lane));
    }

    /// <summary>Takes effect with the next request, and ends any waiting.</summary>
    public void Use(Intake intake)
    {
        _intake = intake;
        _reconfigured.Raise();
    }

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
            // Whatever the store throws, the lane must come back to what still waits.
            catch (Exception error)
            {
                logger.LogError(error, "Lane {Lane} could not work on its queue", lane);
                var answer = Answer.None(error.Message);
                await WaitAsync(LaneState.BackingOff, _intake, answer, backOff.Failed(null), stop)
                    .ConfigureAwait(false);
            }
        }
    }

    private async Task StepAsync(CancellationToken stop)
    {
        var changed = outbox.Changed.Next;
        var reconfigured = _reconfigured.Next;
        if (_intake is not { } intake)
        {
            await reconfigured.WaitAsync(stop).ConfigureAwait(false);
            return;
        }
        var batch = outbox.Take(lane, intake.Destination, backOff.IsProbing ? 1 : width);
        if (batch.Count == 0)
        {
            await Task.WhenAny(changed, reconfigured).WaitAsync(stop).ConfigureAwait(false);
            return;
        }
        var answers = await Task.WhenAll(batch.Select(header => SendAsync(intake, header, stop))).ConfigureAwait(false);
        await GoOnAsync(intake, answers, stop).ConfigureAwait(false);
    }

    // Null: it was too old to send.
    private async Task<Answer?> SendAsync(Intake intake, PayloadHeader header, CancellationToken stop)
    {
        var settled = false;
        try
        {
            if (outbox.IsTooOld(header))
            {
                await outbox.SettleAsync([header], Account.Expired, Outbox.TooOld).ConfigureAwait(false);
                settled = true;
                return null;
            }
            if (!intake.HasKey)
                return new Answer(Verdict.Refused, null, "no API key is set", null);
            ReadOnlyMemory<byte> body;
            try
            {
                body = await outbox.ReadAsync(header, stop).ConfigureAwait(false);
            }
            catch (InvalidDataException)
            {
                const string damaged = "damaged on disk";
                await outbox.SettleAsync([header], Account.Rejected, damaged).ConfigureAwait(false);
                settled = true;
                return new Answer(Verdict.Bad, null, damaged, null);
            }
            var answer = await intake.SendAsync(header, body, stop).ConfigureAwait(false);
            sent(lane, answer.Status ?? 0);
            if (answer.IsUncertain && intake.Skips(lane))
            {
                await outbox.SettleAsync([header], Account.Uncertain, null).ConfigureAwait(false);
                settled = true;
                return answer;
            }
            if (answer.Verdict is not (Verdict.Delivered or Verdict.Bad))
                return answer;
            var account = answer.Verdict == Verdict.Delivered ? Account.Delivered : Account.Rejected;
            await outbox.SettleAsync([header], account, answer.Words).ConfigureAwait(false);
            settled = true;
            return answer;
        }
        finally
        {
            if (!settled)
                outbox.GiveBack(header);
        }
    }

    private async Task GoOnAsync(Intake intake, Answer?[] answers, CancellationToken stop)
    {
        var answer = answers.OfType<Answer>().MaxBy(Severity);
        switch (answer?.Verdict)
        {
            case null:
                return;
            case Verdict.Delivered:
                backOff.Succeeded();
                _state = new State(LaneState.Open, answer.Verdict, answer.Status, _state.Error, null);
                return;
            case Verdict.Bad:
                backOff.Succeeded();
                logger.LogWarning("Lane {Lane}: Datadog rejected a request for good: {Words}", lane, answer.Words);
                _state = new State(LaneState.Open, answer.Verdict, answer.Status, answer.Words, null);
                return;
            case Verdict.Wait:
                var wait = backOff.Failed(answer.AskedFor);
                logger.LogWarning("Lane {Lane} waits {Seconds} s: {Words}", lane, (int)wait.TotalSeconds, answer.Words);
                await WaitAsync(LaneState.BackingOff, intake, answer, wait, stop).ConfigureAwait(false);
                break;
            default:
                await ParkAsync(intake, answer, stop).ConfigureAwait(false);
                break;
        }
        _state = _state with { Lane = LaneState.Open, NextTry = null };
    }

    // Comes back when the key is no longer refused: the next request is then the probe.
    private async Task ParkAsync(Intake intake, Answer answer, CancellationToken stop)
    {
        answer = answer with { Words = await intake.ExplainAsync(answer, stop).ConfigureAwait(false) };
        logger.LogWarning("Lane {Lane} is parked and keeps everything: {Words}", lane, answer.Words);
        backOff.Failed(null);
        // A stop does not wait for a parked lane.
        outbox.Changed.Raise();
        KeyVerdict key;
        do
        {
            await WaitAsync(LaneState.Parked, intake, answer, Recheck, stop).ConfigureAwait(false);
            if (_intake != intake)
                return;
            key = await intake.CheckKeyAsync(stop).ConfigureAwait(false);
        } while (key.State is KeyState.Refused or KeyState.Missing);
    }

    // A new configuration ends the wait, also one that came while the last request was on its way.
    private async Task WaitAsync(LaneState state, Intake? intake, Answer answer, TimeSpan wait, CancellationToken stop)
    {
        var reconfigured = _reconfigured.Next;
        if (_intake != intake)
            return;
        _state = new State(state, answer.Verdict, answer.Status, answer.Words, clock.GetUtcNow() + wait);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(reconfigured, Task.Delay(wait, clock, ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    // One answer speaks for the round: the one that asks most of the lane.
    private static int Severity(Answer answer) =>
        answer.Verdict switch
        {
            Verdict.Delivered => 0,
            Verdict.Bad => 1,
            Verdict.Wait => 2,
            _ => 3,
        };
}
