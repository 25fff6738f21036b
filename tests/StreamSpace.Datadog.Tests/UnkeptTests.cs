using System.Reflection;
using AgentlessDatadog;
using Shouldly;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What the host is told of what the plugin could not keep.</summary>
public sealed class UnkeptTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatTheStoreDoesNotTakeIsUnkeptAndOnceUnloadedItIsUnlessItWasHandedOverAtLast(bool mended)
    {
        FailingStore? store = null;
        var plugin = new DatadogPlugin
        {
            MakeWay = _ => new MemoryNetwork(),
            MakeStore = (path, clock) =>
            {
                var failing = DispatchProxy.Create<ITelemetryStore, FailingStore>();
                store = (FailingStore)failing;
                store.Behind = new SqliteStore(path, clock);
                return failing;
            },
        };
        var host = new HostStandIn
        {
            Environment = new Dictionary<string, string> { ["DD_DD_URL"] = "http://127.0.0.1:1" },
        };
        await plugin.LoadAsync(host, CancellationToken.None);
        (await plugin.ConfigureAsync(new([]), CancellationToken.None)).ShouldBeEmpty();
        await LogInAsync("ada");
        plugin.HoldsUnkept.ShouldBeFalse();

        store!.Fails = true;
        await LogInAsync("ben");
        plugin.HoldsUnkept.ShouldBeTrue();
        store.Fails = !mended;
        await plugin.UnloadAsync(new CancellationToken(canceled: true));
        plugin.HoldsUnkept.ShouldBe(!mended);

        ValueTask LogInAsync(string user) =>
            plugin.HandleAsync(new PlatformBatch([Some.Login(user, host.Clock.GetUtcNow())]), CancellationToken.None);
    }

    [Fact]
    public async Task AKeyFileHasChangedUntilWhatItHoldsIsTaken()
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        await File.WriteAllTextAsync(file, Secret.Wrong);
        var files = new KeyFiles(new Dictionary<string, string> { ["DD_API_KEY_FILE"] = file });
        files.Changed().ShouldBeTrue();
        files.Taken();
        files.Changed().ShouldBeFalse();

        await File.WriteAllTextAsync(file, Secret.ApiKey);
        files.Changed().ShouldBeTrue();
        files.Changed().ShouldBeTrue("it could not be taken");
        files.Taken();
        files.Changed().ShouldBeFalse();
        File.Delete(file);
    }
}

/// <summary>A store on a disk that fails when it is told to.</summary>
public class FailingStore : DispatchProxy
{
    public ITelemetryStore Behind { get; set; } = null!;

    public bool Fails { get; set; }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        Fails && targetMethod!.ReturnType == typeof(ValueTask) && args is { Length: > 0 }
            ? new ValueTask(Task.FromException(new StoreUnavailableException("The disk is full.")))
            : targetMethod!.Invoke(Behind, args);
}
