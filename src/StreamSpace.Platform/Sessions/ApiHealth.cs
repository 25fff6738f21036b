using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>
/// Whether StreamSpace's API of version 1 can make sessions. It gives up on NATS after some twenty seconds, says so to nobody,
/// and answers every request for a session with an error until it is restarted (docs/reference/streamspace.md §4.5). NATS tells
/// that it is not connected, the audit log that it refuses; either is enough, and the later word of one against the other counts.
/// </summary>
internal sealed class ApiHealth
{
    /// <summary>The name of its status, which is also that of its connection to NATS.</summary>
    public const string Name = "streamspace-api";

    private const string Fix =
        "Restart StreamSpace's API (kubectl rollout restart deployment/streamspace-api): it gives up on NATS after twenty "
        + "seconds and does not try again.";

    // So long it takes requests that NATS never gets.
    private static readonly TimeSpan BufferTimeout = TimeSpan.FromMinutes(1);

    private ApiOutage? _outage;
    private DateTimeOffset? _upSince;
    private DateTimeOffset? _takenAt;
    private bool _isDifferent;
    private bool _isRetired;

    /// <summary>Begins with what is durable.</summary>
    public ApiHealth(ApiOutage? durable) => _outage = durable;

    /// <summary>As an operator wants to see it; null while nobody can tell.</summary>
    public SourceStatus? Status =>
        _outage is { } outage ? new SourceStatus(Name, SourceState.Down, ReasonOf(outage), outage.Since) { Fix = Fix }
        : _upSince is { } since ? new SourceStatus(Name, SourceState.Up, "Takes requests for sessions.", since)
        : null;

    /// <summary>What differs from what is durable.</summary>
    public (bool IsDifferent, ApiOutage? Outage) Change => (_isDifferent, _outage);

    /// <summary>Says that <see cref="Change"/> is durable.</summary>
    public void MarkDurable() => _isDifferent = false;

    /// <summary>Takes what NATS tells.</summary>
    /// <returns>What has happened by it, or null.</returns>
    public PlatformFact? Take(ApiConnectionSeen seen)
    {
        if (_isRetired)
        {
            return null;
        }
        if (seen.ConnectedSince is { } connected)
        {
            // It was restarted since it refused the last request.
            var isNew = _outage?.RefusedAt < connected;
            return Turn(isNew ? null : _outage?.RefusingSince, _outage?.RefusedAt, disconnected: null, seen.At);
        }
        // Whoever takes requests all the time is connected to NATS elsewhere, or under another name.
        return _takenAt > seen.At + BufferTimeout
            ? null
            : Turn(_outage?.RefusingSince, _outage?.RefusedAt, disconnected: seen.At, seen.At);
    }

    /// <summary>Takes what the audit log tells.</summary>
    /// <returns>What has happened by it, or null.</returns>
    public PlatformFact? Take(CreatesAnswered seen)
    {
        if (seen.RefusedSince is { } refused)
        {
            return Turn(refused, seen.At, _outage?.DisconnectedSince, refused);
        }
        _takenAt = seen.At;
        var missing = _outage?.DisconnectedSince;
        return Turn(null, null, _takenAt > missing + BufferTimeout ? null : missing, seen.At);
    }

    /// <summary>It is not of version 1: what was and will be said of it is void.</summary>
    /// <returns>What has happened by it, or null.</returns>
    public PlatformFact? Retire(DateTimeOffset at)
    {
        var fact = _outage is null ? null : Turn(null, null, null, at);
        (_upSince, _isRetired) = (null, true);
        return fact;
    }

    private PlatformFact? Turn(
        DateTimeOffset? refusing,
        DateTimeOffset? refused,
        DateTimeOffset? disconnected,
        DateTimeOffset at
    )
    {
        var before = _outage;
        _outage =
            refusing is null && disconnected is null
                ? null
                : new ApiOutage(before?.Since ?? at)
                {
                    DisconnectedSince = disconnected,
                    RefusingSince = refusing,
                    RefusedAt = refusing is null ? null : refused,
                };
        _isDifferent |= _outage != before;
        _upSince = _outage is null ? _upSince ?? at : null;
        return (before, _outage) switch
        {
            (null, { } begun) => new ApiFailed(ReasonOf(begun), Fix, begun.Since) { Id = $"{IdOf(begun)}/failed" },
            ({ } over, null) => new ApiRecovered(over.Since, at) { Id = $"{IdOf(over)}/recovered" },
            _ => null,
        };
    }

    private static string ReasonOf(ApiOutage outage) =>
        outage.DisconnectedSince is not null
            ? "StreamSpace's API is not connected to NATS: its users can neither make nor end sessions."
            : "StreamSpace's API answers every request for a session with an error: its users can neither make nor end sessions.";

    private static string IdOf(ApiOutage outage) => $"api@{outage.Since.UtcDateTime:O}";
}
