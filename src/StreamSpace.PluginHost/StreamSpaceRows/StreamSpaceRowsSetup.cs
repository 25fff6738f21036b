using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>What follows the plugins' rows in StreamSpace's database, where one is attached.</summary>
internal static class StreamSpaceRowsSetup
{
    public static IServiceCollection AddStreamSpaceRows(this IServiceCollection services) =>
        services.AddSingleton(provider => new PluginRows(
            SourceFactory.Database(provider.GetRequiredService<HostSettings>().Environment),
            provider.GetRequiredService<PluginSet>(),
            provider.GetRequiredService<FeedSupervisor>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger>()
        ));
}
