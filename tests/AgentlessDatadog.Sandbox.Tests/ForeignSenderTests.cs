using System.Diagnostics;
using System.Text.Json;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>What others wrote sends to the sandbox and reads from it, on the clock of this machine.</summary>
public sealed class ForeignSenderTests
{
    private const string NeedsNode =
        "Needs node, and `npm ci` in tests/AgentlessDatadog.Sandbox.Tests/ForeignSenders, which ./test.sh does.";

    private static readonly string Folder = FindFolder();

    public static bool HasNode =>
        File.Exists(Path.Combine(Folder, "node_modules", ".package-lock.json"))
        && (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node")));

    [Theory(Skip = NeedsNode, SkipUnless = nameof(HasNode))]
    [InlineData("proto")]
    [InlineData("json")]
    public async Task OpenTelemetryForJavaScriptIsTakenAndReadBack(string protocol)
    {
        await using var sandbox = await TestSandbox.StartOnThisClockAsync();

        var traceId = await NodeAsync("send-spans.mjs", $"{sandbox.Address}v1/traces", protocol, Secret.ApiKey);

        var spans = await sandbox.SearchAsync("spans", $"trace_id:{traceId.Trim()}");
        spans
            .Select(span => span.GetProperty("resource_name").GetString())
            .ShouldBe(["GET /cart", "price", "SELECT"], ignoreOrder: true);
        var root = spans.Single(span => span.GetProperty("parent_id").GetString() == "0");
        root.GetProperty("service").GetString().ShouldBe("js-shop");
        root.GetProperty("env").GetString().ShouldBe("test");
        root.GetProperty("host").GetString().ShouldBe("node-js");
        root.GetProperty("custom").GetProperty("list").GetString().ShouldBe("""["a","b"]""");
        var call = spans.Single(span => span.GetProperty("resource_name").GetString() == "SELECT");
        call.GetProperty("parent_id").GetString().ShouldBe(root.GetProperty("span_id").GetString());
        call.GetProperty("status").GetString().ShouldBe("error");
        call.GetProperty("custom").GetProperty("error").GetProperty("message").GetString().ShouldBe("no such table");
        call.GetProperty("custom").GetProperty("error").GetProperty("type").GetString().ShouldBe("TypeError");
        (await sandbox.DroppedAsync()).ShouldBeEmpty();
        (await sandbox.ValuesAsync("sum:trace.GET__cart.hits{service:js-shop,version:1.2.3}"))[""].Sum().ShouldBe(1);
        (await sandbox.ValuesAsync("sum:trace.SELECT.errors{service:js-shop}"))[""].Sum().ShouldBe(1);
    }

    [Fact(Skip = NeedsNode, SkipUnless = nameof(HasNode))]
    public async Task DatadogsOwnClientSendsLogsAndReadsLogsAndSpans()
    {
        await using var sandbox = await TestSandbox.StartOnThisClockAsync();
        await sandbox.PostSpansAsync(OtlpSpan.Request("shop", new OtlpSpan { Start = sandbox.Now - 60 }));

        var read = JsonDocument
            .Parse(await NodeAsync("read-back.mjs", $"{sandbox.Address}".TrimEnd('/'), Secret.ApiKey, Secret.AppKey))
            .RootElement;

        read.GetProperty("unread").GetInt32().ShouldBe(0);
        read.GetProperty("logs")
            .ToString()
            .ShouldBe("""[["first","error","team:a"],["second","info","team:a"],["third","info","team:a"]]""");
        read.GetProperty("spans").ToString().ShouldBe("""[["shop","GET /cart",250000000]]""");
    }

    [Fact(Skip = NeedsNode, SkipUnless = nameof(HasNode))]
    public async Task DatadogsOwnClientManagesDashboardsMonitorsAndSlos()
    {
        await using var sandbox = await TestSandbox.StartOnThisClockAsync();
        await sandbox.PutPointAsync("cpu", 3, 95, 0, "host:a");
        await sandbox.PutSamplesAsync("ready", [1, 2, 3], "host:a");

        var read = JsonDocument
            .Parse(
                await NodeAsync("manage-assets.mjs", $"{sandbox.Address}".TrimEnd('/'), Secret.ApiKey, Secret.AppKey)
            )
            .RootElement;

        read.GetProperty("unread").GetInt32().ShouldBe(0);
        read.GetProperty("dashboard").ToString().ShouldBe("""["Overview","CPU by host",null]""");
        read.GetProperty("monitor")
            .ToString()
            .ShouldBe("""["query alert","CPU by host","resolve","Alert",1,"Alert"]""");
        read.GetProperty("inUse").GetBoolean().ShouldBeTrue();
        read.GetProperty("tags").GetBoolean().ShouldBeTrue();
        read.GetProperty("timeseries").ToString().ShouldBe("[[190]]");
        read.GetProperty("scalar").ToString().ShouldBe("""[[["a"]],[2]]""");
        read.GetProperty("codes").ToString().ShouldBe("[400,404,404,404]");
        (await sandbox.GetAsync("/api/v1/monitor")).Text.ShouldBe("[]");
    }

    [Fact]
    public async Task OpenTelemetryForDotnetIsTakenAndReadBack()
    {
        await using var sandbox = await TestSandbox.StartOnThisClockAsync();
        using var source = new ActivitySource("foreign");
        var traceId = "";
        using (
            var provider = Sdk.CreateTracerProviderBuilder()
                .AddSource(source.Name)
                .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("net-shop", serviceVersion: "2.0"))
                .AddOtlpExporter(exporter =>
                {
                    exporter.Endpoint = new Uri(sandbox.Address, "/v1/traces");
                    exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                    exporter.Headers = $"dd-api-key={Secret.ApiKey},compute_stats=true";
                    exporter.HttpClientFactory = () => TestRun.NewClient();
                })
                .Build()
        )
        {
            using (var root = source.StartActivity("checkout", ActivityKind.Server))
            {
                traceId = root!.TraceId.ToHexString();
                root.SetTag("cart.size", 3);
                using var call = source.StartActivity("pay", ActivityKind.Client);
                call!.AddException(new InvalidOperationException("card refused"));
                call.SetStatus(ActivityStatusCode.Error);
            }
            provider.ForceFlush(60_000).ShouldBeTrue();
        }

        var spans = await sandbox.SearchAsync("spans", $"trace_id:{traceId} service:net-shop");

        spans.Length.ShouldBe(2);
        spans
            .Single(span => span.GetProperty("resource_name").GetString() == "checkout")
            .GetProperty("custom")
            .GetProperty("cart")
            .GetProperty("size")
            .GetInt32()
            .ShouldBe(3);
        spans
            .Single(span => span.GetProperty("resource_name").GetString() == "pay")
            .GetProperty("custom")
            .GetProperty("error")
            .GetProperty("message")
            .GetString()
            .ShouldBe("card refused");
        (await sandbox.ValuesAsync("sum:trace.checkout.hits{*}"))[""].Sum().ShouldBe(1);
    }

    private static async Task<string> NodeAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("node")
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[script, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        using var process = Process.Start(start) ?? throw new InvalidOperationException("node did not start.");
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
        return output;
    }

    private static string FindFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "StreamSpace.Datadog.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests lie outside the repository.");
        }
        return Path.Combine(folder.FullName, "tests", "AgentlessDatadog.Sandbox.Tests", "ForeignSenders");
    }
}
