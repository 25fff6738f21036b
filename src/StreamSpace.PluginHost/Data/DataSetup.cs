using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Data;

/// <summary>What of the host lies on disk.</summary>
internal static class DataSetup
{
    /// <param name="services">Where to add it.</param>
    /// <param name="data">Its lock is taken.</param>
    /// <param name="keys">Those that encrypt secrets in it.</param>
    public static IServiceCollection AddData(this IServiceCollection services, DataFolder data, KeyRing keys) =>
        services
            .AddSingleton(data)
            .AddSingleton(keys)
            .AddSingleton(provider =>
                HostStore.OfService(
                    Path.Combine(data.Path, "host.db"),
                    keys,
                    provider.GetRequiredService<TimeProvider>()
                )
            )
            .AddSingleton(provider => provider.GetRequiredService<HostStore>().File)
            .AddSingleton(provider =>
            {
                // Later than this: it goes on until the last plugin is unloaded.
                var plugins = new Lazy<PluginSet>(provider.GetRequiredService<PluginSet>);
                return ActivatorUtilities.CreateInstance<DataWatch>(
                    provider,
                    () => plugins.Value.All.Where(p => p.State.Phase is PluginPhase.Running).Select(p => p.Name)
                );
            });
}
