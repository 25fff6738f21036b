using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Store;

/// <summary>
/// Keeps what the registry knows, how far each source has come, the log of facts, and how far each subscriber has come in
/// it, over restarts. One call at a time, but for <see cref="Read"/>, which may run beside the others.
/// </summary>
public interface IPlatformStore : IDisposable
{
    /// <summary>Everything that was kept but the facts themselves.</summary>
    internal PlatformSnapshot Load();

    /// <summary>
    /// Keeps all of <paramref name="change"/> together or not at all. A fact whose id is in the log already is passed over.
    /// </summary>
    /// <returns>The facts that were added, with their sequences.</returns>
    internal IReadOnlyList<PlatformFact> Commit(PlatformChange change);

    /// <summary>Facts beyond a sequence, in order, of one run.</summary>
    /// <param name="after">The last sequence that is not wanted.</param>
    /// <param name="atMost">How many.</param>
    internal FactPage Read(long after, int atMost);
}

/// <summary>All that a feed begins with.</summary>
/// <param name="Lives">Open, ended and lapsed lives, in any order.</param>
/// <param name="Users">The last count of users, or null.</param>
/// <param name="Checkpoints">By source.</param>
internal sealed record PlatformSnapshot(
    IReadOnlyCollection<Life> Lives,
    UsersTotalled? Users,
    IReadOnlyDictionary<string, string> Checkpoints
)
{
    /// <summary>Users of whom both parts are known: a source that knows them may be away when another tells of them.</summary>
    public IReadOnlyCollection<PlatformUser> Names { get; init; } = [];

    /// <summary>What kept StreamSpace's API from making sessions, or null.</summary>
    public ApiOutage? Api { get; init; }

    /// <summary>Which log the facts of this run are.</summary>
    public string LogId { get; init; } = "";

    /// <summary>The sequence of the last fact that was ever added, or 0.</summary>
    public long LastSequence { get; init; }

    /// <summary>The last sequence that each subscriber has.</summary>
    public IReadOnlyDictionary<string, long> Cursors { get; init; } = new Dictionary<string, long>();

    /// <summary>Kind and name of what could not be read, and is left out.</summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    /// <summary>Nothing was kept yet.</summary>
    public static PlatformSnapshot Empty { get; } = new([], null, new Dictionary<string, string>());
}

/// <summary>What one transaction keeps.</summary>
/// <param name="Registry">What is different in the registry.</param>
/// <param name="Checkpoints">How far sources have come, by source.</param>
/// <param name="Facts">New facts, in order.</param>
/// <param name="Cursors">The last sequence that subscribers have; null for one that is no more.</param>
/// <param name="Now">Our time: facts are aged by it.</param>
internal sealed record PlatformChange(
    RegistryChange Registry,
    IReadOnlyDictionary<string, string> Checkpoints,
    IReadOnlyList<PlatformFact> Facts,
    IReadOnlyDictionary<string, long?> Cursors,
    DateTimeOffset Now
)
{
    /// <summary>True when there is nothing to keep.</summary>
    public bool IsEmpty => Registry.IsEmpty && Checkpoints.Count == 0 && Facts.Count == 0 && Cursors.Count == 0;
}

/// <summary>A piece of the log.</summary>
/// <param name="LogId">Which log all of them are of.</param>
/// <param name="Facts">In order; none when nothing is beyond the place that was asked for.</param>
/// <param name="Last">The sequence up to which the log was read: that of the last fact, damaged ones included.</param>
/// <param name="Missing">How many facts between the place that was asked for and <paramref name="Last"/> are not there any more.</param>
internal sealed record FactPage(string LogId, IReadOnlyList<PlatformFact> Facts, long Last, long Missing);

/// <summary>What is different in a registry.</summary>
/// <param name="Lives">New or changed.</param>
/// <param name="Forgotten">Session ids that are remembered no more.</param>
/// <param name="Users">The count of users when it is newer, else null.</param>
internal sealed record RegistryChange(IReadOnlyList<Life> Lives, IReadOnlyList<string> Forgotten, UsersTotalled? Users)
{
    /// <summary>Users who are new, or have another name.</summary>
    public IReadOnlyList<PlatformUser> Names { get; init; } = [];

    /// <summary>What keeps StreamSpace's API from making sessions, where that is different; of null it is nothing.</summary>
    public (bool IsDifferent, ApiOutage? Outage) Api { get; init; }

    /// <summary>True when nothing is different.</summary>
    public bool IsEmpty =>
        Lives.Count == 0 && Forgotten.Count == 0 && Users is null && Names.Count == 0 && !Api.IsDifferent;

    /// <summary>Nothing is different.</summary>
    public static RegistryChange None { get; } = new([], [], null);
}
