using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A store whose disk is full until told otherwise, and that remembers what was committed.</summary>
internal sealed class FailingStore(IPlatformStore inner) : IPlatformStore
{
    private readonly List<(string, int)> _commits = [];

    public bool Fails { get; set; } = true;

    /// <summary>What each commit waits for.</summary>
    public Task Hangs { get; set; } = Task.CompletedTask;

    /// <summary>The sessions and the number of checkpoints of each commit.</summary>
    public IReadOnlyList<(string Sessions, int Checkpoints)> Commits => [.. _commits];

    PlatformSnapshot IPlatformStore.Load() => inner.Load();

    IReadOnlyList<PlatformFact> IPlatformStore.Commit(PlatformChange change)
    {
        Hangs.GetAwaiter().GetResult();
        if (Fails)
        {
            throw new IOException("the disk is full");
        }
        _commits.Add((string.Join(' ', change.Registry.Lives.Select(l => l.Session.Id)), change.Checkpoints.Count));
        return inner.Commit(change);
    }

    FactPage IPlatformStore.Read(long after, int atMost) => inner.Read(after, atMost);

    public void Dispose() { }
}
