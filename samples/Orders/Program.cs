using AgentlessDatadog;

var options = new TelemetryOptions
{
    ApiKey = Environment.GetEnvironmentVariable("DD_API_KEY"),
    IntakeUrl = args is [var url] ? new Uri(url) : null, // such as the sandbox; left out: datadoghq.com
    Tags = ["service:orders", "env:demo"],
};
await using var telemetry = new TelemetryPipeline("orders.db", options);
await telemetry.StartAsync();

// A handle is for what is measured again and again; the last value before a flush is sent.
using var waiting = telemetry.Gauge("orders.waiting", ["shop:berlin"]);
waiting.Set(17);

// What must not be lost: it is on disk once this returns, and arrives once, also after a kill.
await telemetry.KeepAsync([new Measurement("orders.placed", MetricType.Count, 1, ["shop:berlin"])]);
await telemetry.KeepAsync([new LogEntry("Order 4711 was placed.", telemetry.Clock.GetUtcNow())]);

// Sends what there is, for ten seconds at most: what is left waits in orders.db for the next start.
using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
await telemetry.StopAsync(deadline.Token);
