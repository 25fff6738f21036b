using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>The endpoints of whatever plugins are loaded now, under <c>/api/plugins/{route}</c>.</summary>
internal sealed class PluginEndpoints : EndpointDataSource, IDisposable
{
    private readonly PluginSet _plugins;
    private readonly IServiceProvider _services;
    private readonly Lock _lock = new();
    private IReadOnlyList<Endpoint> _endpoints = [];
    private IReadOnlyDictionary<PluginSlot, PluginInstance?> _mapped = new Dictionary<PluginSlot, PluginInstance?>();
    private CancellationTokenSource _changed = new();

    public PluginEndpoints(PluginSet plugins, IServiceProvider services)
    {
        (_plugins, _services) = (plugins, services);
        plugins.Changed += Replace;
    }

    public override IReadOnlyList<Endpoint> Endpoints => _endpoints;

    /// <summary>Differs whenever the endpoints do; zero while the plugins are not known yet.</summary>
    public int Version { get; private set; }

    /// <summary>Whether they are those of the copy of a plugin that is there now.</summary>
    public bool AreOf(PluginSlot plugin) => _mapped.GetValueOrDefault(plugin) == plugin.Instance;

    public override IChangeToken GetChangeToken()
    {
        lock (_lock)
        {
            return new CancellationChangeToken(_changed.Token);
        }
    }

    public void Dispose()
    {
        _plugins.Changed -= Replace;
        _changed.Dispose();
    }

    // All of them, by those of the plugins that there are now.
    private void Replace()
    {
        var known = _plugins.All.Where(p => p.Manifest is not null).ToList();
        // Before they are mapped: a copy that comes meanwhile is not among them.
        var mapped = known.ToDictionary(p => p, p => p.Instance);
        var endpoints = known.SelectMany(p => AllOf(p, _services)).ToList();
        CancellationTokenSource before;
        lock (_lock)
        {
            _endpoints = endpoints;
            (before, _changed) = (_changed, new CancellationTokenSource());
        }
        before.Cancel();
        before.Dispose();
        // Only now: whoever reads this version is routed by these endpoints.
        lock (_lock)
        {
            _mapped = mapped;
            Version++;
        }
    }

    private static List<Endpoint> AllOf(PluginSlot plugin, IServiceProvider services)
    {
        try
        {
            return Of(plugin, services, withOwn: true);
        }
        catch (Exception e)
        {
            plugin.RunsWithoutEndpoints($"its endpoints could not be mapped: {e.Message}");
            return Of(plugin, services, withOwn: false);
        }
    }

    private static List<Endpoint> Of(PluginSlot plugin, IServiceProvider services, bool withOwn)
    {
        var routes = new Routes(services);
        var group = routes.MapGroup($"/api/plugins/{plugin.Manifest!.Route}").WithTags(plugin.Manifest.DisplayName);
        // Where a plugin maps one of the host's own paths, the host's comes first.
        PluginApi.Map(group.MapGroup("").WithOrder(-1), plugin);
        var owns = group.MapGroup("");
        if (withOwn && plugin.Instance is { } instance)
        {
            owns.WithMetadata(new PluginEndpoint(plugin, instance));
            MapOwn(plugin, owns);
        }
        // Who may call is the host's to say, whatever a plugin wrote.
        ((IEndpointConventionBuilder)owns).Finally(endpoint =>
        {
            foreach (var open in endpoint.Metadata.OfType<IAllowAnonymous>().ToList())
            {
                endpoint.Metadata.Remove(open);
            }
            foreach (var other in endpoint.Metadata.OfType<IAuthorizeData>().ToList())
            {
                endpoint.Metadata.Remove(other);
            }
            // Two plugins may give one name to an endpoint each; in the API's description it must be one endpoint's alone.
            if (endpoint.Metadata.OfType<IEndpointNameMetadata>().LastOrDefault() is { } name)
            {
                endpoint.Metadata.Add(new EndpointNameMetadata($"{plugin.Manifest.Route}.{name.EndpointName}"));
            }
        });
        var all = routes.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToList();
        var hosts = all.Where(endpoint => endpoint.Order < 0).ToList();
        return [.. hosts, .. all.Where(endpoint => endpoint.Order >= 0 && !hosts.Exists(h => Shadows(h, endpoint)))];
    }

    private static void MapOwn(PluginSlot plugin, IEndpointRouteBuilder routes)
    {
        var error = plugin.Ask<string?>(
            p =>
            {
                p.MapEndpoints(routes);
                return null;
            },
            nobody: null,
            broken: error => error
        );
        if (error is not null)
        {
            throw new InvalidOperationException(error);
        }
    }

    // What could never be reached is not described either.
    private static bool Shadows(RouteEndpoint host, RouteEndpoint plugin) =>
        string.Equals(host.RoutePattern.RawText, plugin.RoutePattern.RawText, StringComparison.OrdinalIgnoreCase)
        && Methods(host).Intersect(Methods(plugin)).Any();

    private static IReadOnlyList<string> Methods(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];

    private sealed class Routes(IServiceProvider services) : IEndpointRouteBuilder
    {
        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IServiceProvider ServiceProvider => services;

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
