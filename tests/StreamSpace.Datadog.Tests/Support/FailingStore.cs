using System.Reflection;
using AgentlessDatadog;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;

namespace StreamSpace.Datadog.Tests.Support;

/// <summary>A store on a disk that fails when it is told to.</summary>
// What is made of it at run time derives from it.
#pragma warning disable CA1852
internal class FailingStore : DispatchProxy
#pragma warning restore CA1852
{
    private ITelemetryStore _behind = null!;

    /// <summary>Whether whatever is written fails.</summary>
    public bool Fails { get; set; }

    /// <summary>Whether it fails at the very end, so that nobody knows.</summary>
    public bool MayBeDurable { get; set; }

    /// <summary>Puts one before another store.</summary>
    public static ITelemetryStore Before(ITelemetryStore behind)
    {
        var store = Create<ITelemetryStore, FailingStore>();
        ((FailingStore)store)._behind = behind;
        return store;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        Fails && targetMethod!.ReturnType == typeof(ValueTask) && args is { Length: > 0 }
            ? new ValueTask(
                Task.FromException(new StoreUnavailableException("The disk is full.") { MayBeDurable = MayBeDurable })
            )
            : targetMethod!.Invoke(_behind, args);
}
