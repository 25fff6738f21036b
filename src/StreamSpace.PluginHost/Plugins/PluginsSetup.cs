using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>The plugins, and what switches them and tries them again.</summary>
internal static class PluginsSetup
{
    /// <param name="services">Where to add it.</param>
    /// <param name="console">Lets a plugin's logger write warnings and worse to the console.</param>
    public static IServiceCollection AddPlugins(this IServiceCollection services, Action<ILoggingBuilder> console) =>
        services
            .AddSingleton<PluginSet>()
            .AddSingleton<PluginLifecycle>()
            .AddSingleton<PluginRetry>()
            .AddSingleton(provider =>
            {
                var feeds = provider.GetRequiredService<FeedSupervisor>();
                return new HostServices
                {
                    Settings = provider.GetRequiredService<HostSettings>(),
                    Data = provider.GetRequiredService<DataFolder>(),
                    Store = provider.GetRequiredService<HostStore>(),
                    Clock = provider.GetRequiredService<TimeProvider>(),
                    Random = provider.GetRequiredService<Func<double>>(),
                    Sandbox = provider.GetRequiredService<EmbeddedSandbox>().Address,
                    Sources = () => feeds.Sources,
                    Settle = feeds.SettleAsync,
                    Console = console,
                    LogListeners = provider.GetRequiredService<LogListeners>(),
                };
            });
}
