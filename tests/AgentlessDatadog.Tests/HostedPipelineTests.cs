using System.Diagnostics;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>The library in a program that is built on the .NET host.</summary>
public sealed class HostedPipelineTests
{
    [Fact]
    public async Task AHostSendsWhatItMeasuredDidAndLoggedUntilItStopped()
    {
        using var farEnd = new FarEnd(TimeProvider.System);
        var path = Path.Combine(TestRun.NewFolder(), "telemetry.db");
        var options = new TelemetryOptions { IntakeUrl = farEnd.Url, ApiKey = Secret.ApiKey };
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        using var source = new ActivitySource($"shop.{Guid.NewGuid():N}");
        builder.Services.AddAgentlessDatadog(path, options, new TracingOptions { Sources = [source.Name] });
        // The same, by a way that ends in memory.
        builder.Services.AddSingleton(services => new TelemetryPipeline(
            path,
            options,
            logger: services.GetRequiredService<ILogger<TelemetryPipeline>>(),
            handler: _ => farEnd
        ));

        using (var host = builder.Build())
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            using var gauge = host.Services.GetRequiredService<TelemetryPipeline>().Gauge("orders.waiting", []);
            gauge.Set(17);
            var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Shop");
            using (source.StartActivity("order"))
            {
                logger.LogInformation("Order {Order} was placed", 4711);
            }
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        farEnd.Series.Single(series => series.Metric == "orders.waiting").Points.Single().Value.ShouldBe(17);
        farEnd
            .Requests.Where(request => request.Path == "/api/v2/logs")
            .Select(request => System.Text.Encoding.UTF8.GetString(request.Raw))
            .ShouldContain(body => body.Contains("Order 4711 was placed"));
        farEnd
            .Requests.Where(request => request.Path == "/v1/traces")
            .SelectMany(request => SpanCheck.Read(request.Raw).ResourceSpans)
            .ShouldHaveSingleItem();
        farEnd.Check.Errors.ShouldBeEmpty();
    }
}
