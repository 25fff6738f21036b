using System.Text.Json.Nodes;
using AgentlessDatadog;
using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

public sealed class LifecycleTests
{
    [Fact]
    public async Task TheFirstFlushComesAsSoonAsEverySourceHasToldAllAndTheNextWithTheInterval()
    {
        await using var run = await PluginRun.StartAsync("""{"site":"sandbox","metricsInterval":300}""");
        run.Apply(Some.Session("s1", run.Now));
        run.Plugin.Status["lastFlush"].ShouldBeNull();
        for (var i = 0; i < 3; i++)
        {
            run.Plugin.Apply(new PlatformState { IsWhole = true });
            await run.FlushedAsync();
            await run.ShippedAsync();
            (await run.PointsAsync("sum:streamspace.session.active{*}.rollup(max, 1)"))
                .Values.ShouldHaveSingleItem()
                .ShouldBe([1]);
            run.Host.FakeClock.Advance(TimeSpan.FromSeconds(10));
        }
        await run.FlushAsync(300);
        (await run.PointsAsync("sum:streamspace.session.active{*}.rollup(max, 1)"))
            .Values.ShouldHaveSingleItem()
            .Count.ShouldBe(2);
    }

    [Fact]
    public async Task LoadingAndUnloadingAreEventsAndUnloadingSendsWhatIsLeft()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now)));
        await run.UnloadAsync();
        (await run.SumAsync("sum:streamspace.session.created{*}.as_count()")).Values.ShouldBe([1]);
        (await run.EventsAsync())
            .Select(e => e.GetProperty("title").GetString())
            .ShouldBe(["Plugin Loaded", "Session Created", "Plugin Unloaded"], ignoreOrder: true);
    }

    [Fact]
    public async Task AnUnloadingWithoutTimeToSendIsNoErrorAndKeepsWhatItSays()
    {
        var plugin = PluginRun.NewPlugin();
        var host = new HostStandIn
        {
            Environment = new Dictionary<string, string> { ["DD_DD_URL"] = "http://127.0.0.1:1" },
        };
        await plugin.LoadAsync(host, CancellationToken.None);
        (await plugin.ConfigureAsync(new([]), CancellationToken.None)).ShouldBeEmpty();
        await plugin.UnloadAsync(new CancellationToken(canceled: true));

        await using var store = new SqliteStore(Path.Combine(host.DataFolder, "telemetry.db"), TimeProvider.System);
        var kept = await store.OpenAsync(CancellationToken.None);
        kept.Outbox.Where(header => header.Lane.Name == "events")
            .Sum(header => header.Units)
            .ShouldBe(2, "loaded, unloaded");
    }

    [Fact]
    public async Task SessionEventsCarryTheirTagsAndOneAggregationKey()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("ada-chrome-1", run.Now.AddSeconds(-65));
        await run.HandleAsync(Some.Created(session), Some.Ended(session, run.Now));
        await run.UnloadAsync();
        var events = (await run.EventsAsync())
            .Where(e => e.GetProperty("title").GetString()!.StartsWith("Session "))
            .ToList();
        events.Count.ShouldBe(2);
        foreach (var said in events)
        {
            said.GetProperty("tags")
                .EnumerateArray()
                .Select(t => t.GetString())
                .ShouldBe(["env:production", "session:ada-chrome-1", "user:ada", "template:chrome"], ignoreOrder: true);
        }
        events.Select(e => e.GetProperty("text").GetString()).ShouldContain(t => t!.Contains("ended after 1 min 5 s"));
    }

    [Fact]
    public async Task AnInvalidChangeLeavesTheLastGoodConfigInForce()
    {
        await using var run = await PluginRun.StartAsync();
        (await run.ConfigureAsync("""{"site":"sandbox","metricsInterval":5,"enabel":true}""")).Count.ShouldBe(2);
        run.Plugin.Config["metricsInterval"]!.GetValue<long>().ShouldBe(10);
        run.Plugin.ReadinessError.ShouldBeNull();
    }

    [Fact]
    public async Task WithoutAnyValidConfigItStaysLoadedAndSaysWhatIsWrong()
    {
        var plugin = PluginRun.NewPlugin();
        await plugin.LoadAsync(new HostStandIn(), CancellationToken.None);
        (
            await plugin.ConfigureAsync(
                new((JsonObject)JsonNode.Parse("""{"metricsInterval":301}""")!),
                CancellationToken.None
            )
        ).ShouldNotBeEmpty();
        plugin.ReadinessError!.ShouldContain("metricsInterval");
        plugin.Status["errors"]!.AsArray().Count.ShouldBe(1);
        plugin.KeepsDataLocal.ShouldBeFalse();
        plugin.Apply(new PlatformState { IsSnapshot = true });
        await Should.ThrowAsync<InvalidOperationException>(async () =>
            await plugin.HandleAsync(new FactBatch("log", [Some.Login("ada", default)]), CancellationToken.None)
        );
        await plugin.UnloadAsync(CancellationToken.None);
    }

    [Fact]
    public async Task TheConfigShowsTheSpecsFieldsAndNoKey()
    {
        await using var run = await PluginRun.StartAsync(
            $$"""{"site":"sandbox","metricsInterval":10,"apiKey":"{{Secret.ApiKey}}","appKey":"{{Secret.AppKey}}"}"""
        );
        run.Plugin.Config["enabled"]!.GetValue<bool>().ShouldBeTrue();
        run.Plugin.Config["site"]!.GetValue<string>().ShouldBe("sandbox");
        run.Plugin.Config["enableMetrics"]!.GetValue<bool>().ShouldBeTrue();
        run.Plugin.Config["enableTraces"]!.GetValue<bool>().ShouldBeTrue();
        run.Plugin.Config["metricsInterval"]!.GetValue<long>().ShouldBe(10);
        var all = run.Plugin.Config.ToJsonString() + run.Plugin.Status.ToJsonString();
        all.ShouldNotContain(Secret.ApiKey);
        all.ShouldNotContain(Secret.AppKey);
    }

    [Fact]
    public async Task AProxyIsShownToNobodyForItMayHoldAPassword()
    {
        var proxy = $"http://ada:{Secret.ProxyPassword}@127.0.0.1:1";
        foreach (var config in (JsonObject[])[new() { ["proxy"] = proxy }, []])
        {
            var plugin = PluginRun.NewPlugin();
            var host = new HostStandIn
            {
                Environment = new Dictionary<string, string>
                {
                    ["DD_DD_URL"] = "http://127.0.0.1:1",
                    ["HTTPS_PROXY"] = proxy,
                },
            };
            await plugin.LoadAsync(host, CancellationToken.None);
            (await plugin.ConfigureAsync(new(config), CancellationToken.None)).ShouldBeEmpty();
            var all = plugin.Config.ToJsonString() + plugin.Status.ToJsonString();
            await plugin.UnloadAsync(new CancellationToken(canceled: true));
            all.ShouldNotContain(Secret.ProxyPassword);
        }
    }

    [Fact]
    public async Task TheLedgerBalances()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now)), Some.Login("ada", run.Now));
        await run.FlushAsync();
        foreach (var lane in run.Plugin.Status["lanes"]!.AsArray())
        {
            var ledger = lane!["ledger"]!;
            long At(string account) => ledger[account]!.GetValue<long>();
            At("accepted")
                .ShouldBe(
                    At("delivered") + At("queued") + At("overflowed") + At("expired") + At("rejected") + At("uncertain")
                );
        }
        run.Plugin.Status["lanes"]!
            .AsArray()
            .Sum(l => l!["ledger"]!["delivered"]!.GetValue<long>())
            .ShouldBeGreaterThan(3);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("two keys")]
    [InlineData("\"in-quotation-marks\"")]
    public async Task AKeyFileThatHoldsNoneIsWaitedForAndOneThatLosesItsIsSaidWhileTheLastStaysInUse(string? first)
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        await WriteAsync(first);
        var host = new HostStandIn
        {
            Environment = new Dictionary<string, string>
            {
                // Beside an empty variable the file counts.
                ["DD_API_KEY"] = " ",
                ["DD_API_KEY_FILE"] = file,
                ["DD_DD_URL"] = "http://127.0.0.1:1",
                ["DD_SITE"] = "datadoghq.com",
            },
        };
        var plugin = PluginRun.NewPlugin();
        await plugin.LoadAsync(host, CancellationToken.None);
        (await plugin.ConfigureAsync(new([]), CancellationToken.None)).ShouldBeEmpty();
        plugin.KeyInForce.ShouldBeNull();
        plugin.ReadinessError.ShouldBeNull("it keeps");
        Verdict().ShouldStartWith("failing DD_API_KEY_FILE: ");
        Verdict().ShouldContain("Everything is kept and waits.");

        await WriteAsync(Secret.ApiKey);
        await LookUntilAsync(() => plugin.KeyInForce == Secret.ApiKey && !Verdict().Contains("FILE"));

        await WriteAsync(first);
        await LookUntilAsync(() => Verdict().Contains("The last key that was read from it stays in use."));
        Verdict().ShouldStartWith("degraded DD_API_KEY_FILE: ");
        plugin.Status["warnings"]!.ToJsonString().ShouldContain("DD_API_KEY_FILE");
        plugin.KeyInForce.ShouldBe(Secret.ApiKey);

        await plugin.UnloadAsync(new CancellationToken(canceled: true));
        File.Delete(file);

        string Verdict() => $"{plugin.Status["verdict"]!["state"]} {plugin.Status["verdict"]!["sentence"]}";

        async Task WriteAsync(string? text)
        {
            File.Delete(file);
            if (text is not null)
            {
                await File.WriteAllTextAsync(file, text);
            }
        }

        async Task LookUntilAsync(Func<bool> done)
        {
            host.FakeClock.Advance(TimeSpan.FromSeconds(10));
            await Patience.Until(done);
        }
    }

    [Fact]
    public async Task AKeyThatIsRotatedInItsFileIsTakenWithoutARestart()
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        await File.WriteAllTextAsync(file, Secret.Wrong);
        var host = new HostStandIn
        {
            Environment = new Dictionary<string, string>
            {
                ["DD_API_KEY_FILE"] = file,
                ["DD_DD_URL"] = "http://127.0.0.1:1",
                ["DD_SITE"] = "datadoghq.com",
            },
        };
        var plugin = PluginRun.NewPlugin();
        await plugin.LoadAsync(host, CancellationToken.None);
        (await plugin.ConfigureAsync(new([]), CancellationToken.None)).ShouldBeEmpty();
        plugin.Status["apiKey"]!.GetValue<string>().ShouldBe("set");

        File.Delete(file);
        await File.WriteAllTextAsync(file, "");
        // While an empty file is there, the last good key stays.
        host.FakeClock.Advance(TimeSpan.FromSeconds(10));
        plugin.Status["apiKey"]!.GetValue<string>().ShouldBe("set");
        await File.WriteAllTextAsync(file, Secret.ApiKey);
        host.FakeClock.Advance(TimeSpan.FromSeconds(10));
        await Patience.Until(() => plugin.KeyInForce == Secret.ApiKey);
        await plugin.UnloadAsync(new CancellationToken(canceled: true));
        File.Delete(file);
    }

    [Fact]
    public async Task ACopyThatHangsIsClosedFromOutsideAndTheNextHasItsFileAtOnce()
    {
        var host = new HostStandIn { Sandbox = new Uri("http://127.0.0.1:1") };
        var hung = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var plugin = new DatadogPlugin
        {
            MakePipeline = (path, options, context) =>
                PluginRun.PipelineOn(new StuckStore(path, context.Clock, hung), options, context),
        };
        await plugin.LoadAsync(host, CancellationToken.None);
        var configuring = plugin.ConfigureAsync(new([]), CancellationToken.None).AsTask();
        await hung.Task;
        configuring.IsCompleted.ShouldBeFalse("it says that it was loaded, and its store never answers");

        var disposing = plugin.DisposeAsync().AsTask();
        await Patience.Until(() =>
        {
            host.FakeClock.Advance(TimeSpan.FromMilliseconds(10));
            return disposing.IsCompleted;
        });
        await disposing;
        var next = PluginRun.NewPlugin();
        await next.LoadAsync(host, CancellationToken.None);
        (await next.ConfigureAsync(new([]), CancellationToken.None)).ShouldBeEmpty();
        // What wakes up in the old copy finds nothing to write to.
        host.FakeClock.Advance(TimeSpan.FromSeconds(30));
        await configuring.WaitAsync(Patience.Enough);
        next.ReadinessError.ShouldBeNull();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await next.UnloadAsync(soon.Token);
    }

    /// <summary>A real file whose first write never ends.</summary>
    private sealed class StuckStore(string path, TimeProvider clock, TaskCompletionSource hung) : ITelemetryStore
    {
        private readonly SqliteStore _file = new(path, clock);

        public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
            _file.OpenAsync(cancellationToken);

        public ValueTask AppendAsync(JournalAppend arrivals, CancellationToken cancellationToken)
        {
            hung.TrySetResult();
            return new ValueTask(new TaskCompletionSource().Task);
        }

        public ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken) =>
            _file.FlushAsync(flush, cancellationToken);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken) =>
            _file.ReadAsync(payload, cancellationToken);

        public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken) =>
            _file.SettleAsync(settlement, cancellationToken);

        public ValueTask DisposeAsync() => _file.DisposeAsync();
    }
}
