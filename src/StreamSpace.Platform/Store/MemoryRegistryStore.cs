using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>Keeps nothing over a restart of the process: the demo's store.</summary>
public sealed class MemoryRegistryStore : IRegistryStore
{
    private readonly Dictionary<string, Life> _lives = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _checkpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlatformUser> _names = new(StringComparer.Ordinal);
    private readonly List<PlatformEvent> _owed = [];
    private UsersTotalled? _users;

    RegistrySnapshot IRegistryStore.Load() =>
        new([.. _lives.Values], _users, new Dictionary<string, string>(_checkpoints))
        {
            Names = [.. _names.Values],
            Owed = [.. _owed],
        };

    void IRegistryStore.Commit(RegistryChange change, IReadOnlyDictionary<string, string> checkpoints, OwedChange owed)
    {
        foreach (var life in change.Lives)
        {
            _lives[life.Session.Id] = life;
        }
        foreach (var id in change.Forgotten)
        {
            _lives.Remove(id);
        }
        foreach (var (source, checkpoint) in checkpoints)
        {
            _checkpoints[source] = checkpoint;
        }
        foreach (var user in change.Names)
        {
            _names[user.Id!] = user;
        }
        _users = change.Users ?? _users;
        if (owed.IsPaid)
        {
            _owed.Clear();
        }
        _owed.AddRange(owed.Added);
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
