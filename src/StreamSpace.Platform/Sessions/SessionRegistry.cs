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
internal sealed partial class SessionRegistry
{
    private const int RememberedIds = 65_536;

    private readonly SessionLives _lives;
    private readonly RecentIds _seen = new(RememberedIds);
    private RegistryUpdate _update = new();
    private UsersTotalled? _users;
    private bool _usersTouched;
    private DateTimeOffset _now;

    /// <summary>begins with what is durable.</summary>
    public SessionRegistry(PlatformSnapshot durable)
    {
        _lives = new SessionLives(durable.Lives);
        _users = durable.Users;
        _names = new UserNames(durable.Names);
    }

    /// <summary>How many sessions are in each state before their end.</summary>
    public IReadOnlyDictionary<SessionState, int> Counts => _lives.Counts;

    /// <summary>All that is open now, for whoever knows nothing yet.</summary>
    public PlatformState Snapshot =>
        new()
        {
            IsSnapshot = true,
            Sessions = [.. _lives.Open.Select(l => l.Session)],
            Users = _users?.Total,
        };

    /// <summary>What differs from what was kept last.</summary>
    public RegistryChange Changes
    {
        get
        {
            var (put, forgotten) = _lives.Changes;
            return new RegistryChange(put, forgotten, _usersTouched ? _users : null) { Names = _names.Fresh };
        }
    }

    /// <summary>Says that <see cref="Changes"/> are durable.</summary>
    public void MarkDurable()
    {
        _lives.MarkDurable();
        _names.MarkDurable();
        _usersTouched = false;
    }

    /// <summary>The news since the last call.</summary>
    public RegistryUpdate TakeUpdate()
    {
        var taken = _update;
        _update = new RegistryUpdate();
        return taken;
    }

    /// <summary>Takes one observation.</summary>
    public void Apply(Observation seen)
    {
        if (seen.MessageId is { } id && !_seen.Add(id))
        {
            return;
        }
        seen = Completed(seen);
        switch (seen)
        {
            case UserActed act when _seen.Add(act.FactId):
                Tell(FactFactory.Of(act));
                break;
            case UsersNamed named:
                Name(named);
                break;
            case UsersTotalled users when _users is null || users.At > _users.At:
                if (users.Total != _users?.Total)
                {
                    _update.Users = users.Total;
                }
                (_users, _usersTouched) = (users, true);
                break;
            case SessionsListed listed:
                EndUnlisted(listed);
                break;
            case SessionsWatched:
                Watched();
                break;
            case StatusReported { Uid: not null } looked:
                Look(looked);
                break;
            case SessionObservation session:
                var life = _lives.Find(session.SessionId);
                if (life?.FormerEnd is not { } end || session.At > end)
                {
                    Apply(life, Weighed(life, session));
                }
                break;
        }
    }

    private void Apply(Life? life, SessionObservation seen)
    {
        switch (seen)
        {
            case CreateRequested:
                Create(life, seen);
                break;
            case DeleteRequested or StatusReported when Outranked(life):
                Learn(life, seen);
                break;
            case DeleteRequested or StatusReported { Status: ReportedStatus.Ended }:
                End(life, seen);
                break;
            case not null when Hearsay(life, seen):
                break;
            case StatusReported status when life is null:
                Find(Expected(Life.Found(status)));
                break;
            // Whoever is asked to sleep is awake, and whoever is asked to wake is meant to run.
            case HibernateRequested when life is null:
                Find(Expected(Life.Found(seen, SessionState.Running)));
                break;
            case WakeRequested when life is null:
                Find(Life.Found(seen, SessionState.Requested) with { Due = _now + RequestTimeout });
                break;
            case not null when life is null or { Session.State: SessionState.Ended or SessionState.Ending }:
                break;
            case StatusReported status:
                Move(Learn(life, seen), status);
                break;
            case SessionDescribed described:
                Describe(Learn(life, seen), described);
                break;
            case UsageMeasured usage when life.Session.AwakeSince is not null:
                var session = Learn(life, seen).Session;
                _update.Measure(
                    new SessionUsage(session.LifeId, usage.At, usage.CpuPercent, usage.MemoryBytes, usage.StorageBytes)
                );
                break;
            case HibernateRequested or WakeRequested:
                Learn(life, seen);
                break;
        }
    }

    private void Create(Life? life, SessionObservation seen)
    {
        var end = life?.Session.EndedAt ?? life?.HeldEnd;
        // A life that was seen, and another of its name, are told apart by sight: the API's clock may be ahead.
        if (life is null || (life.Uid is null && seen.At > end))
        {
            if (life?.HeldEnd is { } held)
            {
                End(life, held);
            }
            var begun = Life.Created(seen, end) with { Due = _now + RequestTimeout };
            _lives.Put(begun);
            Tell(FactFactory.Created(begun.Session, seen.At));
        }
        else if (!life.Introduced)
        {
            Introduce(life, seen);
        }
        else if (end is null)
        {
            Learn(life, seen);
        }
    }

    // A creation that is seen after other signs of the life: told now, and with it what had to wait for it.
    private void Introduce(Life life, SessionObservation seen)
    {
        var introduced = life.Learn(seen).CreatedAt(seen.At);
        var session = introduced.Session;
        _lives.Put(introduced);
        Tell(FactFactory.Created(session, seen.At));
        if (session.EndedAt is not null)
        {
            return;
        }
        if (session.StartedAt is { } started)
        {
            Tell(FactFactory.Started(session, started));
        }
        if (life.FailedAt == life.FirstSeenAt)
        {
            Tell(FactFactory.Failed(introduced));
        }
        if (life.HeldEnd is { } end)
        {
            End(introduced, end);
        }
    }

    private void Lapse(Life life)
    {
        var lapsed = life.Session with { State = SessionState.Lapsed, AwakeSince = null };
        _lives.Put(life with { Session = lapsed, Due = _now + ClosedRetention });
        _update.Change(lapsed);
    }

    private void Find(Life life)
    {
        _lives.Put(life);
        _update.Change(life.Session);
    }

    private void Move(Life life, StatusReported status)
    {
        if (status.Uid is null && status.At < life.StateAt)
        {
            return;
        }
        var before = life.Session.State;
        var state = Life.StateOf(status);
        // What is confirmed stays so: that it is meant to run adds nothing.
        if (before is SessionState.Running && state is SessionState.Requested)
        {
            return;
        }
        var session = life.In(state, status.At);
        var firstRun = state is SessionState.Running && session.StartedAt is null;
        var firstFailure = state is SessionState.Failed && life.FailedAt is null;
        life = life with
        {
            Session = firstRun ? session with { StartedAt = status.At } : session,
            StateAt = status.At,
            FailedAt = firstFailure ? status.At : life.FailedAt,
            FailureReason = firstFailure ? status.Message : life.FailureReason,
            Due = status.Uid is null ? Expires(life) : null,
        };
        session = life.Session;
        _lives.Put(life);

        if (firstRun && life.Introduced)
        {
            Tell(FactFactory.Started(session, status.At));
        }
        else if (firstFailure)
        {
            Tell(FactFactory.Failed(life));
        }
        else if (state != before)
        {
            _update.Change(session);
            if (FactFactory.Turned(before, session, status.At) is { } turned)
            {
                Tell(turned);
            }
        }
    }

    private void End(Life? life, SessionObservation seen)
    {
        // What ended before this life was asked for is an earlier life, which nobody saw.
        if (life is { Introduced: true } && seen.At < life.Session.CreatedAt)
        {
            return;
        }
        if (life is { Session.State: SessionState.Ended or SessionState.Ending })
        {
            return;
        }
        life = life?.Learn(seen) ?? Life.KnownByItsEnd(seen);
        if (life.Introduced || life.Session.Template is not null)
        {
            End(life, seen.At);
            return;
        }
        var ending = life.Session with { State = SessionState.Ending };
        _lives.Put(life with { Session = ending, HeldEnd = seen.At, Due = _now + HeldEndTimeout });
        _update.Change(ending);
    }

    private void End(Life life, DateTimeOffset at)
    {
        var ended = life.In(SessionState.Ended, at) with { EndedAt = at };
        _lives.Put(life with { Session = ended, HeldEnd = null, Due = _now + ClosedRetention });
        Tell(FactFactory.Ended(ended, at));
    }

    private Life Learn(Life life, SessionObservation seen)
    {
        var learned = life.Learn(seen);
        if (!ReferenceEquals(learned, life))
        {
            _lives.Put(learned);
            _update.Change(learned.Session);
        }
        return learned;
    }

    private void Tell(PlatformFact fact) => _update.Add(fact);
}
