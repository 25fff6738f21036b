using System.Collections.Frozen;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// One plugin's assemblies. The contract and the shared frameworks (logging abstractions and ASP.NET Core among
/// them) are the host's, for a type is the same only when it comes from one place; everything else is the
/// plugin's own, whatever version the host may use of it.
/// </summary>
internal sealed class PluginLoadContext(string entryAssembly)
    : AssemblyLoadContext(Path.GetFileNameWithoutExtension(entryAssembly), isCollectible: true)
{
    private static readonly FrozenSet<string> Shared = FrameworkAssemblies()
        .Append(typeof(IPlugin).Assembly.GetName().Name!)
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly AssemblyDependencyResolver _resolver = new(entryAssembly);

    /// <summary>
    /// Called with this context and what its code has thrown where nobody catches it. It must not hold the plugin: the
    /// runtime holds a context that unloads, and with it this.
    /// </summary>
    public Action<PluginLoadContext, Exception> Threw { get; set; } = (_, _) => { };

    /// <summary>
    /// Tells the context whose code threw this on a thread of its own, as a timer or an async void does; false when it was
    /// not a plugin's.
    /// </summary>
    public static bool Blame(Exception e)
    {
        var context = new StackTrace(e)
            .GetFrames()
            .Select(frame => frame.GetMethod()?.Module.Assembly)
            .OfType<Assembly>()
            .Select(GetLoadContext)
            .OfType<PluginLoadContext>()
            .FirstOrDefault();
        context?.Threw(context, e);
        return context is not null;
    }

    /// <summary>The assembly of the plugin itself.</summary>
    public Assembly LoadEntry() => LoadCopy(entryAssembly);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (Shared.Contains(assemblyName.Name!))
        {
            return null;
        }
        if (_resolver.ResolveAssemblyToPath(assemblyName) is { } path)
        {
            return LoadCopy(path);
        }
        // Null would hand out the host's own packages; satellite assemblies may be missing as everywhere.
        return string.IsNullOrEmpty(assemblyName.CultureName)
            ? throw new FileNotFoundException($"{assemblyName.Name}.dll is missing from the plugin's folder.")
            : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : nint.Zero;

    // Never by its path: the runtime keeps what it once loaded from one as long as any copy lives, and would give an
    // update the old code.
    private Assembly LoadCopy(string path)
    {
        var symbols = Path.ChangeExtension(path, ".pdb");
        return LoadFromStream(
            new MemoryStream(File.ReadAllBytes(path)),
            File.Exists(symbols) ? new MemoryStream(File.ReadAllBytes(symbols)) : null
        );
    }

    private static IEnumerable<string> FrameworkAssemblies() =>
        new[] { typeof(object).Assembly, typeof(WebApplication).Assembly }
            .Select(a => Path.GetDirectoryName(a.Location)!)
            .Distinct()
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.dll"))
            .Select(file => Path.GetFileNameWithoutExtension(file));
}
