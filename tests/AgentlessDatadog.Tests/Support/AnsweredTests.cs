using System.Net;
using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Time.Testing;

namespace AgentlessDatadog.Tests.Support;

/// <summary>Tests of a pipeline on a clock of theirs, before a far end that answers as each of them says.</summary>
public abstract class AnsweredTests
{
    protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));

    protected TelemetryPipeline Start(
        HttpMessageHandler handler,
        Func<TelemetryOptions, TelemetryOptions>? change = null
    )
    {
        var options = new TelemetryOptions { ApiKey = Secret.ApiKey };
        return new TelemetryPipeline(
            new MemoryStore(),
            change?.Invoke(options) ?? options,
            Clock,
            () => 0.5,
            new SearchedLog(),
            _ => handler
        );
    }

    protected static HttpResponseMessage Answer(HttpStatusCode status, string body) =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    protected static async Task<LaneStatus> LaneAsync(
        TelemetryPipeline pipeline,
        Func<LaneStatus, bool> right,
        Lane? which = null
    )
    {
        LaneStatus? lane = null;
        var name = (which ?? Lane.Events).Name;
        await Patience.Until(() => right(lane = pipeline.Status.Lanes.Single(l => l.Lane == name)), () => $"{lane}");
        return lane!;
    }

    protected sealed class Way(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer)
        : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => answer(request, cancellationToken);
    }
}
