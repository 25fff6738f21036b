using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A registry, and all that it has told.</summary>
internal sealed class Telling(RegistrySnapshot? kept = null)
{
    public Registry Registry { get; } = new(kept ?? RegistrySnapshot.Empty);

    public List<PlatformEvent> Events { get; } = [];

    /// <summary>The events' names without the word Session, such as <c>Created Started Ended</c>.</summary>
    public string Names =>
        string.Join(' ', Events.Select(e => e.GetType().Name.Replace("Session", "", StringComparison.Ordinal)));

    public Session Last => Events.OfType<SessionEvent>().Last().Session;

    /// <summary>Applies each at once; our clock shows the platform's time of each, and never goes back.</summary>
    public Telling See(params Observation[] seen)
    {
        foreach (var observation in seen)
        {
            Registry.Apply(observation);
            Events.AddRange(Registry.TakeEvents());
        }
        return this;
    }

    /// <summary>Our clock shows <paramref name="second"/>.</summary>
    public Telling Tick(double second)
    {
        Registry.Tick(Some.At(second));
        Events.AddRange(Registry.TakeEvents());
        return this;
    }
}
