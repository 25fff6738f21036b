namespace StreamSpace.Platform.Tests.Support;

/// <summary>A store whose disk is full until told otherwise, and that remembers what was committed.</summary>
internal sealed class FailingStore(MemoryRegistryStore inner) : IRegistryStore
{
    private readonly List<(string, int)> _commits = [];

    public bool Fails { get; set; } = true;

    /// <summary>What each commit waits for.</summary>
    public Task Hangs { get; set; } = Task.CompletedTask;

    /// <summary>The sessions and the number of checkpoints of each commit.</summary>
    public IReadOnlyList<(string Sessions, int Checkpoints)> Commits => [.. _commits];

    RegistrySnapshot IRegistryStore.Load() => ((IRegistryStore)inner).Load();

    void IRegistryStore.Commit(RegistryChange change, IReadOnlyDictionary<string, string> checkpoints, OwedChange owed)
    {
        Hangs.GetAwaiter().GetResult();
        if (Fails)
        {
            throw new IOException("the disk is full");
        }
        _commits.Add((string.Join(' ', change.Lives.Select(l => l.Session.Id)), checkpoints.Count));
        ((IRegistryStore)inner).Commit(change, checkpoints, owed);
    }

    public void Dispose() { }
}
