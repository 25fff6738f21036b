using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using AgentlessDatadog.Store.Sqlite;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreUnloadTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AClosedStoreDoesNotKeepItsPluginLoaded()
    {
        var plugin = OpenAndClose(_folder.File);

        for (var i = 0; i < 10 && plugin.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        plugin.IsAlive.ShouldBeFalse();
        File.Exists(_folder.File).ShouldBeTrue();
    }

    // In a frame of its own, so that no local of the test holds on to the plugin.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference OpenAndClose(string path)
    {
        var context = new PluginContext(typeof(StoreUnloadTests).Assembly.Location);
        var assembly = context.LoadFromAssemblyPath(typeof(SqliteStore).Assembly.Location);
        var type = assembly.GetType(typeof(SqliteStore).FullName!)!;
        type.ShouldNotBe(typeof(SqliteStore));
        var store = Activator.CreateInstance(type, path, TimeProvider.System)!;
        var opening = type.GetMethod(nameof(SqliteStore.OpenAsync))!.Invoke(store, [CancellationToken.None])!;
        var opened = (Task)opening.GetType().GetMethod(nameof(ValueTask.AsTask))!.Invoke(opening, null)!;
        opened.GetAwaiter().GetResult();
        ((IAsyncDisposable)store).DisposeAsync().AsTask().GetAwaiter().GetResult();
        context.Unload();
        return new WeakReference(context);
    }

    private sealed class PluginContext(string assembly) : AssemblyLoadContext(isCollectible: true)
    {
        private readonly AssemblyDependencyResolver _resolver = new(assembly);

        protected override Assembly? Load(AssemblyName assemblyName) =>
            _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;

        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
    }
}
