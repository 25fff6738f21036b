using AgentlessDatadog.Delivery;

namespace AgentlessDatadog;

/// <summary>Datadog's API beside its intake, for calls that a program makes itself.</summary>
public static class DatadogApi
{
    /// <summary>
    /// A client at the far end that <paramref name="options"/> describe: its address as the base, the API key in each request,
    /// through the proxy. It never follows a redirect, which would move the key. Whoever asks for it disposes of it.
    /// </summary>
    /// <exception cref="ArgumentException">An option cannot be used; the message says which.</exception>
    public static HttpClient Connect(TelemetryOptions options)
    {
        options.Verify();
        return Connect(options, DatadogClient.Connect(options.Proxy(Root(options))));
    }

    /// <summary>The same, over a network of a test's.</summary>
    internal static HttpClient Connect(TelemetryOptions options, HttpMessageHandler handler)
    {
        var client = new HttpClient(handler) { BaseAddress = Root(options), Timeout = Timeout.InfiniteTimeSpan };
        if (!string.IsNullOrEmpty(options.ApiKey))
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation("DD-API-KEY", options.ApiKey);
        }

        return client;
    }

    private static Uri Root(TelemetryOptions options) =>
        new($"{options.IntakeUrl?.GetLeftPart(UriPartial.Path).TrimEnd('/') ?? $"https://api.{options.Site}"}/");
}
