using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Feed;

/// <summary>What hears of the platform and tells the plugins.</summary>
internal static class FeedSetup
{
    public static IServiceCollection AddFeed(this IServiceCollection services) =>
        services
            .AddSingleton(provider =>
            {
                // Later than this: sources are made, and found invalid, before anything runs.
                var plugins = new Lazy<PluginSet>(provider.GetRequiredService<PluginSet>);
                return SourceFactory.From(
                    provider.GetRequiredService<HostSettings>().Environment,
                    () => plugins.Value.LookEvery,
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<Func<double>>(),
                    provider.GetRequiredService<ILogger>()
                );
            })
            .AddSingleton<FeedSupervisor>();
}
