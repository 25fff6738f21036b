using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources;

/// <summary>
/// The health of a source: whether it hears its far end, since when, what of it does not work and what to do. It is up when
/// every part works without which nothing is heard; any other part that fails costs only what it is for. Any thread.
/// </summary>
/// <param name="source">The name of the source.</param>
/// <param name="essential">The parts without which nothing is heard, each of which is still to be reached.</param>
/// <param name="clock">Our clock.</param>
/// <param name="logger">For a part that fails, and for one that works again.</param>
internal sealed class SourceHealth(string source, IReadOnlyList<string> essential, TimeProvider clock, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (string Reason, string? Grant, DateTimeOffset Since)> _errors = new(
        StringComparer.Ordinal
    );
    private readonly HashSet<string> _essential = new(essential, StringComparer.Ordinal);
    private readonly HashSet<string> _unheard = new(essential, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _skipped = new(StringComparer.Ordinal);
    private SourceState _state = SourceState.Connecting;
    private DateTimeOffset _since = clock.GetUtcNow();
    private DateTimeOffset? _downSince;
    private TimeSpan _downBefore;
    private long _received;

    /// <summary>What it does while it is up, in a sentence.</summary>
    public required Func<string> WhileUp { get; init; }

    /// <summary>What it does while it is not, in a sentence.</summary>
    public required Func<string> WhileDown { get; init; }

    /// <summary>True when everything is heard.</summary>
    public bool IsUp
    {
        get
        {
            lock (_lock)
            {
                return _state is SourceState.Up;
            }
        }
    }

    /// <summary>As an operator wants to see it.</summary>
    public SourceStatus Status
    {
        get
        {
            lock (_lock)
            {
                string[] sentences = _state switch
                {
                    SourceState.Up => [WhileUp(), .. _errors.Values.Select(e => e.Reason)],
                    SourceState.Stopped => ["Stopped."],
                    _ => [WhileDown(), .. _errors.Values.Select(e => e.Reason)],
                };
                // Below the sentences, ready for kubectl apply: one text may grant several of the rights.
                var grants = _errors.Values.Select(e => e.Grant).OfType<string>().Distinct(StringComparer.Ordinal);
                return new SourceStatus(
                    source,
                    _state,
                    string.Join(' ', sentences)
                        + (string.Join("\n---\n", grants) is { Length: > 0 } yaml ? $"\n{yaml}" : ""),
                    _since
                )
                {
                    Errors = [.. _errors.Values.Select(e => e.Reason)],
                    Received = Interlocked.Read(ref _received),
                    Skipped = new Dictionary<string, long>(_skipped),
                    Downtime = _downBefore + (_downSince is { } since ? clock.GetUtcNow() - since : TimeSpan.Zero),
                };
            }
        }
    }

    /// <summary>So much was taken in.</summary>
    public void Received(int count) => Interlocked.Add(ref _received, count);

    /// <summary>Something was skipped; the first of each kind is logged.</summary>
    /// <param name="kind">A few words: the key under which it is counted.</param>
    /// <param name="reason">What is wrong, for the log, without anything that may be a secret.</param>
    public void Skipped(string kind, string reason)
    {
        if (_skipped.AddOrUpdate(kind, 1, (_, count) => count + 1) == 1)
        {
            logger.LogWarning("{Source}: skipped {Reason}. More of this kind is only counted.", source, reason);
        }
    }

    /// <summary>Without this part, which works, nothing is heard from now on.</summary>
    public void Needs(string part)
    {
        lock (_lock)
        {
            _essential.Add(part);
        }
    }

    /// <summary>A part works.</summary>
    public void Works(string part)
    {
        lock (_lock)
        {
            if (_errors.Remove(part, out var error))
            {
                logger.LogInformation(
                    "{Source} works again ({Part}), after {Seconds:F1} s.",
                    source,
                    part,
                    (clock.GetUtcNow() - error.Since).TotalSeconds
                );
            }
            if (_unheard.Remove(part) && _unheard.Count == 0)
            {
                _downBefore += _downSince is { } since ? clock.GetUtcNow() - since : TimeSpan.Zero;
                _downSince = null;
                Turn(SourceState.Up);
            }
        }
    }

    /// <summary>A part does not work, and is tried again.</summary>
    /// <param name="part">A few words.</param>
    /// <param name="reason">What is wrong and what to do, in sentences without a secret.</param>
    /// <param name="grant">The text that grants what is missing, or null.</param>
    /// <param name="since">Since when; null for now.</param>
    public void Fails(string part, string reason, string? grant = null, DateTimeOffset? since = null)
    {
        lock (_lock)
        {
            var began = since ?? clock.GetUtcNow();
            if (!_errors.TryGetValue(part, out var before) || before.Reason != reason)
            {
                // Whoever shows the health warns of it.
                logger.LogInformation("{Source}: {Reason}", source, reason);
            }
            _errors[part] = (reason, grant, before.Reason is null ? began : before.Since);
            if (!_essential.Contains(part))
            {
                return;
            }
            _unheard.Add(part);
            _downSince ??= began;
            Turn(_state is SourceState.Up or SourceState.Down ? SourceState.Down : SourceState.Connecting);
        }
    }

    /// <summary>The source was stopped.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _unheard.UnionWith(_essential);
            Turn(SourceState.Stopped);
        }
    }

    private void Turn(SourceState state)
    {
        if (state != _state)
        {
            (_state, _since) = (state, clock.GetUtcNow());
        }
    }
}
