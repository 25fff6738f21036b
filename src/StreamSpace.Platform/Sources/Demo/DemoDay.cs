using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Demo;

/// <summary>
/// The demo's working day, a second at a time: people log in, ask for sessions, leave them idle, come back and
/// end them. Everything follows from the seed and from the times that it is given.
/// </summary>
internal sealed class DemoDay
{
    private const int UsageEvery = 5;
    private const int FewestSessions = 16;
    private const int MostSessions = 40;
    private const int UsuallyPresent = 20;
    private const int UsualUsers = 34;

    private static readonly string[] Names =
    [
        .. "ada alan amara anton aya bela bram carla chen dana dario edda elif emil enzo fatima finn greta hana hugo".Split(
            ' '
        ),
        .. "ines ivo jana jonas kai kira lars lena luca maja mara milo nadia nils noor olga omar paula piet quinn".Split(
            ' '
        ),
        .. "rosa runa sami selma sven tara theo tilda udo vera viktor wanda xenia yara yusuf zoe".Split(' '),
    ];

    private readonly Random _random;
    private readonly DateTimeOffset _opened;
    private readonly List<string> _users = [];
    private readonly List<string> _present = [];
    private readonly List<DemoSession> _sessions = [];
    private readonly List<Observation> _seen = [];
    private int _second = -1;
    private int _facts;
    private int _accounts;

    /// <summary>Fills the platform: people with accounts, some of them at work.</summary>
    public DemoDay(int seed, DateTimeOffset opened)
    {
        _random = new Random(seed);
        _opened = opened;
        while (_users.Count < 30)
        {
            _users.Add(NewName());
        }
        for (var i = 0; i < 24; i++)
        {
            var user = _users[i % 20];
            var session = NewSession(user, doomed: false);
            session.Status = i % 4 == 3 ? ReportedStatus.Hibernated : ReportedStatus.Running;
            _sessions.Add(session);
            if (!_present.Contains(user))
            {
                _present.Add(user);
            }
        }
    }

    /// <summary>What is seen in the next second, which ends at <paramref name="now"/>.</summary>
    public IReadOnlyList<Observation> Step(DateTimeOffset now)
    {
        _seen.Clear();
        _second++;
        if (_second == 0)
        {
            Open(now);
        }
        Opening(now);
        GoOn(now);
        Measure(now);
        return [.. _seen];
    }

    // What was there before anyone looked.
    private void Open(DateTimeOffset now)
    {
        foreach (var session in _sessions)
        {
            var age = TimeSpan.FromMinutes(5 + (_random.NextDouble() * 240));
            See(session, new StatusReported(session.Id, now, session.Status!.Value) { CreatedAt = now - age });
        }
        _seen.Add(new UsersTotalled(_users.Count, now));
    }

    // The first seconds show one of everything, so that nobody waits for a chart to begin.
    private void Opening(DateTimeOffset now)
    {
        switch (_second)
        {
            case 1:
                LogIn(now);
                Ask(now, doomed: false).ReadyIn = 3;
                break;
            case 2:
                Join(now);
                Ask(now, doomed: true).ReadyIn = 5;
                break;
            case 3:
                Turn(Some(ReportedStatus.Running), ReportedStatus.Hibernated, now);
                break;
            case 4:
                Turn(Some(ReportedStatus.Hibernated), ReportedStatus.Running, now);
                break;
            case 5:
                End(Some(ReportedStatus.Running), now);
                LogOut(now);
                break;
        }
    }

    private void GoOn(DateTimeOffset now)
    {
        foreach (var session in _sessions.Where(s => s.Status is null).ToList())
        {
            if (--session.ReadyIn <= 0)
            {
                MakeReady(session, now);
            }
        }
        if (Happens(everySeconds: _present.Count < UsuallyPresent ? 8 : 20))
        {
            LogIn(now);
        }
        if (_sessions.Count < MostSessions && Happens(_sessions.Count < FewestSessions ? 4 : 14))
        {
            Ask(now, Happens(18));
        }
        if (Happens(25))
        {
            Turn(Some(ReportedStatus.Running), ReportedStatus.Hibernated, now);
        }
        if (Happens(22))
        {
            Turn(Some(ReportedStatus.Hibernated), ReportedStatus.Running, now);
        }
        if (_sessions.Count > FewestSessions && Happens(15))
        {
            End(Some(ReportedStatus.Running), now);
        }
        if (Happens(_present.Count < UsuallyPresent ? 20 : 8))
        {
            LogOut(now);
        }
        if (Happens(80))
        {
            Join(now);
        }
        if (_users.Count > UsualUsers && Happens(40))
        {
            Leave(now);
        }
    }

    private void Measure(DateTimeOffset now)
    {
        foreach (var session in _sessions.Where(s => s.Status is ReportedStatus.Running))
        {
            if (_second == 0 || (_second + session.Turn) % UsageEvery == 0)
            {
                _seen.Add(session.Measure(now, TimeSpan.FromSeconds(UsageEvery)));
            }
        }
    }

    private DemoSession Ask(DateTimeOffset now, bool doomed)
    {
        if (_present.Count == 0)
        {
            LogIn(now);
        }
        var session = NewSession(_present[_random.Next(_present.Count)], doomed);
        _sessions.Add(session);
        See(session, new CreateRequested(session.Id, now));
        return session;
    }

    private void MakeReady(DemoSession session, DateTimeOffset now)
    {
        if (session.Doomed)
        {
            See(session, new StatusReported(session.Id, now, ReportedStatus.Failed, "image could not be pulled"));
            End(session, now);
            return;
        }
        Turn(session, ReportedStatus.Running, now);
    }

    private void Turn(DemoSession? session, ReportedStatus status, DateTimeOffset now)
    {
        if (session is not null)
        {
            session.Status = status;
            See(session, new StatusReported(session.Id, now, status));
        }
    }

    private void End(DemoSession? session, DateTimeOffset now)
    {
        if (session is not null)
        {
            _sessions.Remove(session);
            See(session, new DeleteRequested(session.Id, now));
        }
    }

    private void LogIn(DateTimeOffset now)
    {
        var away = _users.Except(_present).ToList();
        if (away.Count > 0)
        {
            var user = away[_random.Next(away.Count)];
            _present.Add(user);
            Act(UserAct.LoggedIn, user, now);
        }
    }

    private void LogOut(DateTimeOffset now)
    {
        if (_present.Count > 5)
        {
            var user = _present[_random.Next(_present.Count)];
            _present.Remove(user);
            Act(UserAct.LoggedOut, user, now);
        }
    }

    private void Join(DateTimeOffset now)
    {
        var user = NewName();
        _users.Add(user);
        Act(UserAct.Created, user, now);
        _seen.Add(new UsersTotalled(_users.Count, now));
    }

    private void Leave(DateTimeOffset now)
    {
        var away = _users.Except(_present).ToList();
        if (away.Count > 0)
        {
            var user = away[_random.Next(away.Count)];
            foreach (var session in _sessions.Where(s => s.User.Name == user).ToList())
            {
                End(session, now);
            }
            _users.Remove(user);
            Act(UserAct.Deleted, user, now);
            _seen.Add(new UsersTotalled(_users.Count, now));
        }
    }

    private void Act(UserAct act, string user, DateTimeOffset now) =>
        _seen.Add(
            new UserActed($"demo/{_opened.ToUnixTimeMilliseconds()}/{++_facts}", act, new PlatformUser(user, user), now)
        );

    private void See(DemoSession session, SessionObservation seen) =>
        _seen.Add(seen with { User = session.User, Template = session.Template, Platform = "kubernetes" });

    private DemoSession? Some(ReportedStatus status)
    {
        var those = _sessions.Where(s => s.Status == status).ToList();
        return those.Count > 0 ? those[_random.Next(those.Count)] : null;
    }

    private DemoSession NewSession(string user, bool doomed)
    {
        var template = DemoTemplate.Pick(_random);
        return new DemoSession($"{user}-{template.Name}-{_random.Next():x8}", user, template, _random)
        {
            Doomed = doomed,
        };
    }

    // Ordinary first names; when all are taken, they come again with a number.
    private string NewName()
    {
        var round = _accounts / Names.Length;
        var name = Names[_accounts++ % Names.Length];
        return round == 0 ? name : $"{name}{round + 1}";
    }

    private bool Happens(int everySeconds) => _random.Next(everySeconds) == 0;
}
