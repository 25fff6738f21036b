using StreamSpace.Datadog.Provisioning.Account;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>What a run is to do.</summary>
/// <param name="DryRun">Only say what would be done.</param>
/// <param name="Delete">Take everything away instead.</param>
internal readonly record struct ProvisionRequest(bool DryRun, bool Delete);

/// <summary>
/// Brings the assets to an account: each is found by its marker, compared on what we set, and made or changed when it is
/// otherwise. What fails costs itself alone.
/// </summary>
internal sealed class Provisioner(AccountApi api, Installation installation, ProvisionRequest request)
{
    // One that needs another comes after it; to be removed, before it.
    private readonly AssetKind[] _order = request.Delete
        ? [.. Enum.GetValues<AssetKind>().Reverse()]
        : Enum.GetValues<AssetKind>();

    private readonly Dictionary<string, string> _slos = [];

    /// <summary>Those of a kind in an account.</summary>
    public static AccountAssets AccountOf(AssetKind kind, AccountApi api, Installation installation) =>
        kind switch
        {
            AssetKind.Metadata => new MetadataAssets(api),
            AssetKind.Percentiles => new PercentileAssets(api),
            AssetKind.Slo => new SloAssets(api, installation),
            AssetKind.Monitor => new MonitorAssets(api, installation),
            AssetKind.Dashboard => new DashboardAssets(api, installation),
            _ => new EntityAssets(api),
        };

    /// <summary>Does it, and tells of each asset when it is done with it.</summary>
    /// <param name="kinds">Of which kinds.</param>
    /// <param name="tell">Told.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AccountException">Nobody answers for Datadog.</exception>
    public async Task RunAsync(
        IReadOnlyCollection<AssetKind> kinds,
        Action<Outcome> tell,
        CancellationToken cancellationToken
    )
    {
        foreach (var kind in _order.Where(kinds.Contains))
        {
            var there = AccountOf(kind, api, installation);
            string? refused = null;
            foreach (var asset in AssetCatalog.Of(kind, installation, _slos.GetValueOrDefault))
            {
                try
                {
                    tell(
                        refused is null
                            ? await BringAsync(there, asset, cancellationToken)
                            : new Outcome(asset, Change.Fail, [], refused)
                    );
                }
                catch (AccountException e) when (!e.IsUnreachable)
                {
                    var error = e.IsRefused
                        ? $"{e.Message}: the application key may lack the right {there.Right}"
                        : e.Message;
                    refused = e.IsRefused ? error : null;
                    tell(new Outcome(asset, Change.Fail, [], error));
                }
            }
        }
    }

    private async Task<Outcome> BringAsync(AccountAssets there, Asset asset, CancellationToken cancellationToken)
    {
        var existing = await there.FindAsync(asset, cancellationToken);
        if (request.Delete)
        {
            return await RemoveAsync(there, existing, asset, cancellationToken);
        }
        if (existing is null && !await there.MayCreateAsync(asset, cancellationToken))
        {
            return new Outcome(asset, Change.Wait, []);
        }
        if (existing is null)
        {
            if (!request.DryRun)
            {
                Know(asset, await there.CreateAsync(asset, cancellationToken));
            }
            return new Outcome(asset, Change.Create, []);
        }
        Know(asset, existing.Id);
        var differences = Difference.Between(existing.Body, asset.Body);
        if (differences.Count > 0 && !request.DryRun)
        {
            await there.UpdateAsync(existing, there.Merge(existing, asset), cancellationToken);
        }
        return new Outcome(asset, differences.Count > 0 ? Change.Update : Change.None, differences);
    }

    // Of what a dashboard shows by its id.
    private void Know(Asset asset, string id)
    {
        if (asset.Kind is AssetKind.Slo)
        {
            _slos[asset.Key] = id;
        }
    }

    // Metadata goes with its metric; a configuration that somebody made more of is his.
    private async Task<Outcome> RemoveAsync(
        AccountAssets there,
        Existing? existing,
        Asset asset,
        CancellationToken cancellationToken
    )
    {
        var isOurs = asset.Kind switch
        {
            AssetKind.Metadata => false,
            AssetKind.Percentiles => existing is not null && Difference.IsNone(existing.Body, asset.Body),
            _ => true,
        };
        if (existing is null || !isOurs)
        {
            return new Outcome(asset, Change.None, []);
        }
        if (!request.DryRun)
        {
            await there.RemoveAsync(existing, cancellationToken);
        }
        return new Outcome(asset, Change.Remove, []);
    }
}
