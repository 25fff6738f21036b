using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Health;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>What answers over HTTP.</summary>
internal static class WebSetup
{
    /// <param name="services">Where to add it.</param>
    /// <param name="keys">Those that ASP.NET Core wants; left alone it would make some in the user's home.</param>
    public static IServiceCollection AddWeb(this IServiceCollection services, KeyRing keys)
    {
        services
            .Configure<HostOptions>(host => host.ShutdownTimeout = WebServer.RequestsTimeout)
            .ConfigureHttpJsonOptions(json => json.SerializerOptions.MaxDepth = RequestJson.Deepest)
            .AddRouting()
            .AddRequestDecompression(packed => packed.DecompressionProviders.Add("zstd", new ZstdBodies()))
            .AddSingleton<PluginEndpoints>()
            .AddSingleton<HostHealth>()
            .AddSingleton<HealthWatch>()
            .AddSingleton<HostStatus>();
        keys.Configure(services.AddDataProtection());
        return services;
    }
}
