using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>What answers for Datadog on this machine, as it is told.</summary>
internal sealed class StandInDatadog : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StandInDatadog(WebApplication app) => _app = app;

    /// <summary>Where it is.</summary>
    public string Address => _app.Urls.Single();

    /// <summary>The status and the body for a request; at first it takes everything.</summary>
    public Func<HttpRequest, (int Status, string Body)> Answer { get; set; } = _ => (202, "{}");

    /// <summary>How far its clock is ahead of this machine's.</summary>
    public TimeSpan ClockAhead { get; set; }

    public static async Task<StandInDatadog> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var datadog = new StandInDatadog(app);
        app.Run(datadog.RespondAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return datadog;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task RespondAsync(HttpContext http)
    {
        await http.Request.Body.CopyToAsync(Stream.Null);
        var (status, body) = Answer(http.Request);
        http.Response.StatusCode = status;
        http.Response.ContentType = body.StartsWith('<') ? "text/html" : "application/json";
        http.Response.Headers.Date = (TimeProvider.System.GetUtcNow() + ClockAhead).ToString(
            "R",
            System.Globalization.CultureInfo.InvariantCulture
        );
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body));
    }
}
