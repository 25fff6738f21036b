using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>
/// Assets of one kind, in the order in which they were made. They stay until they are deleted; what would go over a bound
/// is refused, since nothing else may go for it.
/// </summary>
internal sealed class AssetStore(string kind, int maxAssets, long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, Asset> _assets = new(StringComparer.Ordinal);
    private long _bytes;

    public IReadOnlyList<Asset> List()
    {
        lock (_lock)
        {
            return [.. _assets.Values];
        }
    }

    public Asset? Find(string id)
    {
        lock (_lock)
        {
            return _assets.GetValueOrDefault(id);
        }
    }

    /// <summary>Keeps what <paramref name="make"/> makes of all that is there, under its id, in the place of what had it.</summary>
    /// <exception cref="ApiError">403: there is no room for it. And what <paramref name="make"/> throws.</exception>
    public Asset Put(Func<IReadOnlyCollection<Asset>, Asset> make)
    {
        lock (_lock)
        {
            var asset = make(_assets.Values);
            var before = _assets.GetValueOrDefault(asset.Id);
            var bytes = _bytes + asset.Bytes - (before?.Bytes ?? 0);
            if (
                (before is null && _assets.Count == maxAssets)
                || (bytes > maxBytes && asset.Bytes > (before?.Bytes ?? 0))
            )
            {
                throw ApiError.Forbidden(
                    $"The sandbox holds {maxAssets} {kind} and {maxBytes >> 20} MiB of them; delete one first"
                );
            }
            _assets[asset.Id] = asset;
            _bytes = bytes;
            return asset;
        }
    }

    /// <summary>False when there is none of this id.</summary>
    public bool Remove(string id)
    {
        lock (_lock)
        {
            if (!_assets.Remove(id, out var asset))
            {
                return false;
            }
            _bytes -= asset.Bytes;
            return true;
        }
    }
}
