using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>Keeps what the registry knows, and how far each source has come, over restarts.</summary>
public interface IRegistryStore : IDisposable
{
    /// <summary>Everything that was kept.</summary>
    internal RegistrySnapshot Load();

    /// <summary>
    /// Keeps <paramref name="change"/>, <paramref name="checkpoints"/> and <paramref name="owed"/> together or not at all.
    /// </summary>
    internal void Commit(RegistryChange change, IReadOnlyDictionary<string, string> checkpoints, OwedChange owed);
}

/// <summary>All that a registry begins with.</summary>
/// <param name="Lives">Open, ended and lapsed lives, in any order.</param>
/// <param name="Users">The last count of users, or null.</param>
/// <param name="Checkpoints">By source.</param>
internal sealed record RegistrySnapshot(
    IReadOnlyCollection<Life> Lives,
    UsersTotalled? Users,
    IReadOnlyDictionary<string, string> Checkpoints
)
{
    /// <summary>Users of whom both parts are known: a source that knows them may be away when another tells of them.</summary>
    public IReadOnlyCollection<PlatformUser> Names { get; init; } = [];

    /// <summary>Facts that not every listener may have, in their order.</summary>
    public IReadOnlyList<PlatformEvent> Owed { get; init; } = [];

    /// <summary>Kind and name of what could not be read, and is left out.</summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    /// <summary>Nothing was kept yet.</summary>
    public static RegistrySnapshot Empty { get; } = new([], null, new Dictionary<string, string>());
}

/// <summary>What is different in what is owed to the listeners.</summary>
/// <param name="IsPaid">True when nothing that was owed before is any more.</param>
/// <param name="Added">Facts that are owed from now on, in their order.</param>
internal sealed record OwedChange(bool IsPaid, IReadOnlyList<PlatformEvent> Added)
{
    public static OwedChange None { get; } = new(false, []);

    /// <summary>True when nothing is different.</summary>
    public bool IsEmpty => !IsPaid && Added.Count == 0;
}

/// <summary>What is different in a registry.</summary>
/// <param name="Lives">New or changed.</param>
/// <param name="Forgotten">Session ids that are remembered no more.</param>
/// <param name="Users">The count of users when it is newer, else null.</param>
internal sealed record RegistryChange(IReadOnlyList<Life> Lives, IReadOnlyList<string> Forgotten, UsersTotalled? Users)
{
    /// <summary>Users who are new, or have another name.</summary>
    public IReadOnlyList<PlatformUser> Names { get; init; } = [];

    /// <summary>True when nothing is different.</summary>
    public bool IsEmpty => Lives.Count == 0 && Forgotten.Count == 0 && Users is null && Names.Count == 0;
}
