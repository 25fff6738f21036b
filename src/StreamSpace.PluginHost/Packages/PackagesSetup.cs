using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Packages;

/// <summary>What installs plugins and removes them.</summary>
internal static class PackagesSetup
{
    public static IServiceCollection AddPackages(this IServiceCollection services) =>
        services
            .AddSingleton(provider => new PluginCatalog(
                provider.GetRequiredService<HostSettings>().Environment.GetValueOrDefault("CATALOG_URL"),
                provider.GetRequiredService<TimeProvider>()
            ))
            .AddSingleton<PluginUninstaller>()
            .AddSingleton<PluginInstaller>();
}
