using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>
/// What is true on the platform. It takes what sources saw and tells what of it is news. Pure: no I/O and no
/// clock; our time comes with <see cref="Tick"/>, the platform's with each observation. One thread at a time.
/// </summary>
/// <remarks>
/// The rules are those of docs/reference/streamspace.md §2: levels repeat, and messages come twice, late or not at all.
/// </remarks>
internal sealed class SessionRegistry
{
    private const int RememberedIds = 65_536;

    private readonly SessionLives _lives;
    private readonly UserNames _names;
    private readonly SessionExpiry _expiry = new();
    private readonly SessionLifecycle _lifecycle;
    private readonly SessionAuthority _authority;
    private readonly SessionEnrichment _enrichment;
    private readonly RecentIds _seen = new(RememberedIds);
    private UsersTotalled? _users;
    private bool _usersTouched;
    private readonly ApiHealth _api;

    // Not durable: heartbeats are of the moment.
    private IReadOnlyList<PlatformAgent>? _agents;

    /// <summary>Begins with what is durable.</summary>
    public SessionRegistry(PlatformSnapshot durable)
    {
        _lives = new SessionLives(durable.Lives);
        _names = new UserNames(durable.Names);
        _users = durable.Users;
        _api = new ApiHealth(durable.Api);
        _lifecycle = new SessionLifecycle(_lives, _expiry);
        _authority = new SessionAuthority(_lives, _expiry, _lifecycle);
        _enrichment = new SessionEnrichment(_lives, _names, _lifecycle);
    }

    /// <summary>How many sessions are in each state before their end.</summary>
    public IReadOnlyDictionary<SessionState, int> Counts => _lives.Counts;

    /// <summary>Whether StreamSpace's API can make sessions; null while nobody can tell.</summary>
    public SourceStatus? Api => _api.Status;

    /// <summary>All that is open now, for whoever knows nothing yet.</summary>
    public PlatformState Snapshot =>
        new()
        {
            IsSnapshot = true,
            Sessions = [.. _lives.Open.Select(l => l.Session)],
            Users = _users?.Total,
            Agents = _agents,
        };

    /// <summary>What differs from what is durable.</summary>
    public RegistryChange Changes
    {
        get
        {
            var (put, forgotten) = _lives.Changes;
            return new RegistryChange(put, forgotten, _usersTouched ? _users : null)
            {
                Names = _names.Fresh,
                Api = _api.Change,
            };
        }
    }

    /// <summary>Says that <see cref="Changes"/> are durable.</summary>
    public void MarkDurable()
    {
        _lives.MarkDurable();
        _names.MarkDurable();
        _api.MarkDurable();
        _usersTouched = false;
    }

    /// <summary>What there is to tell since the last call.</summary>
    public RegistryUpdate TakeUpdate() => _lifecycle.TakeUpdate();

    /// <summary>Lets our time pass: requests lapse, held ends are told, old lives are forgotten.</summary>
    public void Tick(DateTimeOffset now)
    {
        _expiry.Now = now;
        while (_lives.NextDue(now) is { } life)
        {
            var isRequest = life.Session.State is SessionState.Requested;
            if (life.HeldEnd is { } end)
            {
                _lifecycle.End(life, end);
            }
            else if (isRequest && _expiry.IsMissing(life))
            {
                _lifecycle.TimeOut(life);
            }
            else if (isRequest && _expiry.MayStillShow(life))
            {
                _lives.Put(life with { Due = now + SessionExpiry.SightTimeout });
            }
            else if (!isRequest && _expiry.MayStillBeThere(life))
            {
                _lives.Put(life with { Due = now + SessionExpiry.RequestTimeout });
            }
            else
            {
                _lifecycle.Lapse(life);
            }
        }
        _lives.Trim(now);
    }

    /// <summary>Takes one observation.</summary>
    public void Apply(Observation seen)
    {
        if (seen.MessageId is { } id && !_seen.Add(id))
        {
            return;
        }
        seen = _enrichment.Complete(seen);
        switch (seen)
        {
            case UserActed act when _seen.Add(act.FactId):
                _lifecycle.Update.Add(FactFactory.Of(act));
                break;
            case UsersNamed named:
                _enrichment.Name(named);
                break;
            case UsersTotalled users when _users is null || users.At > _users.At:
                if (users.Total != _users?.Total)
                {
                    _lifecycle.Update.Users = users.Total;
                }
                (_users, _usersTouched) = (users, true);
                break;
            case AgentsSeen agents:
                (_agents, _lifecycle.Update.Agents) = (agents.Agents, agents.Agents);
                // Version 2 has no NATS.
                TellOfApi(_api.Retire(agents.At));
                break;
            case ApiConnectionSeen connection:
                TellOfApi(_api.Take(connection));
                break;
            case CreatesAnswered answered:
                TellOfApi(_api.Take(answered));
                break;
            case SessionsListed listed:
                _authority.EndUnlisted(listed);
                break;
            case SessionsWatched watched:
                _authority.Watched(watched);
                break;
            case StatusReported { Uid: not null } looked:
                _authority.See(looked);
                break;
            case SessionObservation session:
                var life = _lives.Find(session.SessionId);
                if (life?.FormerEnd is not { } end || session.At > end)
                {
                    Hear(life, _authority.Weigh(life, session));
                }
                break;
        }
    }

    // What was said, or is on record, about one session.
    private void Hear(Life? life, SessionObservation seen)
    {
        switch (seen)
        {
            case CreateRequested:
                _lifecycle.Create(life, seen);
                break;
            case DeleteRequested or StatusReported when _authority.Outranks(life):
                _lifecycle.Learn(life, seen);
                break;
            case DeleteRequested or StatusReported { Status: ReportedStatus.Ended }:
                _lifecycle.End(life, seen);
                break;
            case not null when _authority.IsHearsay(life, seen):
                _authority.Overhear(life, seen);
                break;
            case StatusReported status when life is null:
                Find(Life.Found(status));
                break;
            // Whoever is asked to sleep is awake, and whoever is asked to wake is meant to run.
            case HibernateRequested when life is null:
                Find(Life.Found(seen, SessionState.Running));
                break;
            case WakeRequested when life is null:
                var waking = Life.Found(seen, SessionState.Starting);
                _lifecycle.Put(waking with { Due = _expiry.Now + SessionExpiry.RequestTimeout });
                break;
            case not null when life is null or { Session.State: SessionState.Ended or SessionState.Ending }:
                break;
            case StatusReported status:
                _lifecycle.Move(_lifecycle.Learn(life, seen), status);
                break;
            case SessionDescribed described:
                _enrichment.Describe(_lifecycle.Learn(life, seen), described);
                break;
            case UsageMeasured usage when life.Session.AwakeSince is not null:
                var session = _lifecycle.Learn(life, seen).Session;
                _lifecycle.Update.Measure(
                    new SessionUsage(session.LifeId, usage.At, usage.CpuPercent, usage.MemoryBytes, usage.StorageBytes)
                );
                break;
            case HibernateRequested or WakeRequested:
                _lifecycle.Learn(life, seen);
                break;
        }
    }

    private void TellOfApi(PlatformFact? fact)
    {
        if (fact is not null)
        {
            _lifecycle.Update.Add(fact);
        }
    }

    private void Find(Life life) => _lifecycle.Put(life with { Due = _expiry.Of(life) });
}
