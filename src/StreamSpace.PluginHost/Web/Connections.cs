using System.Globalization;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace StreamSpace.PluginHost.Web;

/// <summary>
/// How many connections are held, and for how long without a word. The files, the database and the ways out need
/// descriptors too: callers never get more than their part of them.
/// </summary>
internal static class Connections
{
    private const int Few = 1024;

    // What the process has open without any caller: the runtime keeps a descriptor for each assembly, or two.
    private const int OurOwn = 300;
    private const int Least = 4;

    // As long as nginx, whose pools then never find one closed on them.
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(75);
    private static readonly TimeSpan Headers = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Accepts callers of the API: as many as a quarter of the descriptors, or half of those that we leave when that is less.
    /// </summary>
    public static IConnectionListenerFactory ToApi(IConnectionListenerFactory sockets) =>
        new BoundedListener(Most, sockets);

    /// <summary>Accepts callers of the sandbox: half as many.</summary>
    public static IConnectionListenerFactory ToSandbox(IConnectionListenerFactory sockets) =>
        new BoundedListener(Most / 2, sockets);

    /// <summary>One sentence when there are so few descriptors that callers may be turned away, else null.</summary>
    public static string? Warning =>
        Descriptors is < Few and var descriptors
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"This process may open {descriptors} files and connections: at most {Most} callers are served at a time. Raise it to {Few} or more (ulimit -n, LimitNOFILE=)."
            )
            : null;

    private static long Most =>
        Descriptors is { } all ? Math.Max(Least, Math.Min(all / 4, (all - OurOwn) / 2)) : long.MaxValue;

    // The soft limit, of Linux alone; the runtime has raised it to the hard one.
    private static long? Descriptors { get; } = Read();

    public static void Bound(KestrelServerLimits limits)
    {
        limits.KeepAliveTimeout = Idle;
        limits.RequestHeadersTimeout = Headers;
    }

    private static long? Read()
    {
        const string limits = "/proc/self/limits";
        const string name = "Max open files";
        if (!File.Exists(limits))
        {
            return null;
        }
        var line = File.ReadLines(limits).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        var soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
