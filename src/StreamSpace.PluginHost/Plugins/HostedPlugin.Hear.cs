using StreamSpace.Platform;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

// How a plugin hears what happens on the platform.
internal sealed partial class HostedPlugin
{
    private DateTimeOffset? _failingSince;
    private bool _lostBeforeFailing;
    private bool _knowsNothing;

    /// <summary>Why it hears no platform events although it should, or null.</summary>
    public string? Deaf { get; set; }

    /// <summary>True when nothing more is to be told to it before a baseline.</summary>
    public bool NeedsBaseline => _knowsNothing || Deaf is not null;

    /// <summary>
    /// Gives the plugin a batch. Invented data never reaches a plugin that sends things elsewhere. One that fails again
    /// and again is passed over until it takes a baseline, so that the others do not wait for it; while it is the only
    /// one, the batch waits, and nothing is lost.
    /// </summary>
    public async ValueTask HandleAsync(PlatformBatch batch, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        var lost = _lost;
        try
        {
            if (Plugin is not { } plugin || (Deaf is not null && !batch.Baseline))
            {
                return;
            }
            if (_knowsNothing && !batch.Baseline)
            {
                throw new BaselineFirstException();
            }
            // Until it comes back: whether it has kept it, nobody knows.
            _lost = true;
            if (!batch.Demo || KeepsDataLocal)
            {
                await WithinAsync(() => plugin.HandleAsync(batch, cancellationToken).AsTask(), "taking a batch");
            }
            // What is owed comes in one batch after the first baseline, and before any other.
            _lost = lost && batch.Baseline;
            Detail = _failingSince is null ? Detail : "";
            (Deaf, _knowsNothing, _failingSince) = (null, false, null);
        }
        catch (PluginHangsException)
        {
            // Isolated: nothing is asked of it any more, and nobody waits for it.
        }
        catch (Exception e) when (e is not BaselineFirstException && !cancellationToken.IsCancellationRequested)
        {
            // It comes again: a plugin may be unable for a while. But not for ever while others wait for their events.
            var now = surroundings.Clock.GetUtcNow();
            if (_failingSince is null)
            {
                (_failingSince, _lostBeforeFailing) = (now, lost);
                _log?.Logger.LogError(e, "{Plugin} fails to take a batch.", Name);
            }
            Detail = $"it fails to take a batch, which comes again: {Said(e)}";
            if (now - _failingSince < Limit || !surroundings.OthersWait(this))
            {
                throw;
            }
            Detail = $"it failed to take a batch for {Limit.TotalSeconds:0.#} s while others waited: {Said(e)}";
            Deaf = $"{Name} hears nothing: {Detail}";
            // What it failed at is not owed to it any more; what a copy before it lost still is.
            _lost = _lostBeforeFailing;
            _log?.Logger.LogError(e, "{Plugin} is passed over until it takes a baseline: {Detail}", Name, Detail);
        }
        finally
        {
            _turn.Release();
        }
    }
}
