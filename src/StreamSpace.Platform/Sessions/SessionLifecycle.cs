using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>What can become of a life: it begins, moves from state to state, and ends. Each step is told once.</summary>
internal sealed class SessionLifecycle(SessionLives lives, SessionExpiry expiry)
{
    // Between the clocks of two machines of one platform.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>What there is to tell since <see cref="TakeUpdate"/> was called last.</summary>
    public RegistryUpdate Update { get; private set; } = new();

    /// <summary>Takes out what there is to tell.</summary>
    public RegistryUpdate TakeUpdate()
    {
        var taken = Update;
        Update = new RegistryUpdate();
        return taken;
    }

    /// <summary>The life is another than before, and whoever shows sessions is told.</summary>
    public void Put(Life life)
    {
        lives.Put(life);
        Update.Change(life.Session);
    }

    /// <summary>The life is another than before by something that happened, which is told together with what went before.</summary>
    public void Put(Life life, SessionFact fact)
    {
        // A creation tells of a beginning alone.
        var told = fact is SessionCreated ? [] : life.Passed;
        lives.Put(life with { Passed = [.. life.Passed.Skip(told.Count)] });
        Update.Add(fact with { Passed = told });
    }

    /// <summary>Takes up a request; it may be one of a life that is known by other signs already.</summary>
    public void Create(Life? life, SessionObservation seen)
    {
        var end = life?.Session.EndedAt ?? life?.HeldEnd;
        // A life that was seen, and another of its name, are told apart by sight: the API's clock may be ahead. One of which
        // only the end was told may be this one.
        if (life is null || (life.Uid is null && seen.At > end && (life.Introduced || seen.At > end + ClockTolerance)))
        {
            if (life?.HeldEnd is { } held)
            {
                End(life, held);
            }
            var begun = expiry.IsToShow(seen)
                ? Life.Created(seen, SessionState.Requested, end) with
                {
                    Due = expiry.Now + SessionExpiry.SightTimeout,
                }
                : Life.Created(seen, SessionState.Starting, end) with
                {
                    Due = expiry.Now + SessionExpiry.RequestTimeout,
                };
            Put(begun, FactFactory.Created(begun.Session, seen.At));
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

    /// <summary>A creation that is seen after other signs of the life: told now, and with it what had to wait for it.</summary>
    public void Introduce(Life life, SessionObservation seen)
    {
        var introduced = life.Learn(seen).CreatedAt(seen.At);
        var session = introduced.Session;
        Put(introduced, FactFactory.Created(session, seen.At));
        if (session.EndedAt is not null)
        {
            return;
        }
        if (session.StartedAt is { } started)
        {
            introduced = Tell(introduced, FactFactory.Started(session, started));
        }
        if (life.FailedAt == life.FirstSeenAt)
        {
            introduced = Tell(introduced, FactFactory.Failed(introduced));
        }
        if (life.HeldEnd is { } end)
        {
            End(introduced, end);
        }
    }

    // What is told late tells what went before it, and not all that has passed since.
    private Life Tell(Life life, SessionFact fact)
    {
        var told = life.Passed.TakeWhile(stretch => stretch.To <= fact.At).ToList();
        var rest = life with { Passed = [.. life.Passed.Skip(told.Count)] };
        lives.Put(rest);
        Update.Add(fact with { Passed = told });
        return rest;
    }

    /// <summary>Takes in what an observation adds to what is known of a life.</summary>
    public Life Learn(Life life, SessionObservation seen)
    {
        var learned = life.Learn(seen);
        if (!ReferenceEquals(learned, life))
        {
            Put(learned);
        }
        return learned;
    }

    /// <summary>A life stands as a status says, unless something newer is known.</summary>
    public void Move(Life life, StatusReported status)
    {
        if (status.Uid is null && status.At < life.StateAt)
        {
            return;
        }
        var before = life.Session.State;
        var state = Life.StateOf(status);
        // One that has slept was there: to wake it is more than a request.
        if (before is SessionState.Hibernated && state is SessionState.Requested)
        {
            state = SessionState.Starting;
        }
        // What is confirmed stays so: that it is meant to run, or was asked for, adds nothing.
        if (
            (before is SessionState.Running && state is SessionState.Starting)
            || (before is SessionState.Running or SessionState.Starting && state is SessionState.Requested)
        )
        {
            return;
        }
        var session = life.In(state, status.At);
        var firstRun = state is SessionState.Running && session.StartedAt is null;
        var firstFailure = state is SessionState.Failed && life.FailedAt is null;
        life = life.Turn(firstRun ? session with { StartedAt = status.At } : session, status.At) with
        {
            StateAt = status.At,
            FailedAt = firstFailure ? status.At : life.FailedAt,
            FailureReason = firstFailure ? status.Message : life.FailureReason,
            FailureCause = firstFailure ? status.Cause : life.FailureCause,
            // By when a request must show says nothing of what it has become.
            Due =
                status.Uid is not null ? null
                : before is SessionState.Requested && state != before ? expiry.Of(life with { Due = null })
                : expiry.Of(life),
        };
        session = life.Session;
        SessionFact? fact =
            firstRun && life.Introduced ? FactFactory.Started(session, status.At)
            : firstFailure ? FactFactory.Failed(life)
            : state != before ? FactFactory.Turned(before, session, status.At)
            : null;
        if (fact is not null)
        {
            Put(life, fact);
        }
        else if (state != before)
        {
            Put(life);
        }
        else
        {
            lives.Put(life);
        }
    }

    /// <summary>Something says that a session is over; of one that is not known yet, a creation may still come.</summary>
    public void End(Life? life, SessionObservation seen)
    {
        if (life is { Introduced: true } && IsOfFormerLife(life, seen.At))
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
        Put(life.Turn(ending, seen.At) with { HeldEnd = seen.At, Due = expiry.Now + SessionExpiry.HeldEndTimeout });
    }

    /// <summary>The life is over.</summary>
    public void End(Life life, DateTimeOffset at)
    {
        at = life.Session.CreatedAt is { } created && at < created ? created : at;
        var ended = life.In(SessionState.Ended, at) with { EndedAt = at };
        Put(
            life.Turn(ended, at) with
            {
                HeldEnd = null,
                Due = expiry.Now + SessionExpiry.ClosedRetention,
            },
            FactFactory.Ended(ended, at)
        );
    }

    // What ended before this life was asked for is an earlier life, which nobody saw; but for a moment, by which the clocks of
    // those who ask for a life and for its end may differ.
    private static bool IsOfFormerLife(Life life, DateTimeOffset end) =>
        end < life.Session.CreatedAt - (life.FormerEnd is null ? ClockTolerance : TimeSpan.Zero);

    /// <summary>Of the life only the request is known, and it must show.</summary>
    public void Expect(Life life) =>
        Put(
            life with
            {
                Session = life.Session with { State = SessionState.Requested, AwakeSince = null },
                Due = expiry.Now + SessionExpiry.SightTimeout,
            }
        );

    /// <summary>Nothing was made of the request in time.</summary>
    public void TimeOut(Life life)
    {
        var failed = life.Turn(life.Session with { State = SessionState.Failed }, expiry.Now) with
        {
            FailedAt = expiry.Now,
            FailureReason = $"nothing was made of the request within {SessionExpiry.SightTimeout.TotalSeconds:0} s",
            FailureCause = FailureCause.Timeout,
            Due = expiry.Now + SessionExpiry.RequestTimeout,
        };
        Put(failed, FactFactory.Failed(failed));
    }

    /// <summary>Nothing has confirmed the life in time: it is only remembered.</summary>
    public void Lapse(Life life) =>
        Put(
            life.Turn(life.Session with { State = SessionState.Lapsed, AwakeSince = null }, expiry.Now) with
            {
                Due = expiry.Now + SessionExpiry.ClosedRetention,
            }
        );
}
