using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>The test plugin, loaded with nothing around it: whatever is asked of it, the test asks.</summary>
internal sealed class LonePlugin : IDisposable
{
    private readonly DataFolder _data;
    private readonly HostStore _store;

    private LonePlugin(HostSettings settings, DataFolder data, TimeProvider clock)
    {
        _data = data;
        _store = new HostStore(Path.Combine(data.Path, "host.db"), new KeyRing(data.Folder("keys")), clock);
        Plugin = new PluginSlot(
            Path.Combine(TestHost.EchoFolder, "streamspace-echo"),
            new HostServices
            {
                Settings = settings,
                Data = data,
                Store = _store,
                Clock = clock,
                Random = () => 0.5,
                Sandbox = null,
                Sources = () => [],
                Settle = _ => Task.CompletedTask,
                Console = _ => { },
                LogListeners = new LogListeners(),
            }
        );
    }

    public PluginSlot Plugin { get; }

    /// <summary>Where it leaves its traces.</summary>
    public string Folder => _data.Folder(Plugin.Name);

    public static async Task<LonePlugin> LoadAsync(TimeProvider clock)
    {
        var settings = TestHost.NewSettings();
        var data = await DataFolder.TakeAsync(
            settings.DataFolder,
            new StartupConsole(TextWriter.Null, clock),
            clock,
            TestContext.Current.CancellationToken
        );
        var lone = new LonePlugin(settings, data, clock);
        lone.Plugin.Find(_ => false);
        await lone.Plugin.LoadAsync(TestContext.Current.CancellationToken);
        return lone;
    }

    public Task ConfigureAsync(JsonObject change) =>
        Plugin.Configurator!.ChangeAsync(change, ifMatch: null, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        Plugin.Dispose();
        _store.Dispose();
        _data.Dispose();
    }
}
