using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A registry, and all that it has told.</summary>
internal sealed class Telling(PlatformSnapshot? kept = null)
{
    private readonly List<string> _names = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public SessionRegistry Registry { get; } = new(kept ?? PlatformSnapshot.Empty);

    public List<PlatformFact> Facts { get; } = [];

    /// <summary>Sessions that changed, each time that they did.</summary>
    public List<Session> Sessions { get; } = [];

    public List<SessionUsage> Usages { get; } = [];

    public List<int> Users { get; } = [];

    /// <summary>
    /// The facts' names without the word Session, and where a session changed without a fact Found (the first time) or Changed,
    /// such as <c>Created Changed Ended</c>.
    /// </summary>
    public string Names => string.Join(' ', _names);

    public Session Last => Sessions[^1];

    /// <summary>Applies each at once; our clock shows the platform's time of each, and never goes back.</summary>
    public Telling See(params Observation[] seen)
    {
        foreach (var observation in seen)
        {
            Registry.Apply(observation);
            TakeUpdate();
        }
        return this;
    }

    /// <summary>Our clock shows <paramref name="second"/>.</summary>
    public Telling Tick(double second)
    {
        Registry.Tick(Some.At(second));
        TakeUpdate();
        return this;
    }

    private void TakeUpdate()
    {
        var news = Registry.TakeUpdate();
        var inFacts = news.Facts.OfType<SessionFact>().Select(f => f.Session.LifeId).ToHashSet();
        foreach (var session in news.Sessions.Values.Where(s => !inFacts.Contains(s.LifeId)))
        {
            _names.Add(_known.Contains(session.LifeId) ? "Changed" : "Found");
        }
        _names.AddRange(news.Facts.Select(f => f.GetType().Name.Replace("Session", "", StringComparison.Ordinal)));
        _names.AddRange(news.Usages.Select(_ => "Measured"));
        _known.UnionWith(news.Sessions.Keys);
        Facts.AddRange(news.Facts);
        Sessions.AddRange(news.Sessions.Values);
        Usages.AddRange(news.Usages.Values);
        Users.AddRange(news.Users is { } users ? [users] : Array.Empty<int>());
    }
}
