using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;

namespace AgentlessDatadog.Tracing;

/// <summary>
/// Says of ASP.NET Core's activities what they leave out: method, route, path and status (docs/reference/dotnet.md §4).
/// </summary>
internal sealed class WebRequests : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    /// <summary>Of its activities, and of what it says about them.</summary>
    public const string Source = "Microsoft.AspNetCore";

    private const string Request = "Microsoft.AspNetCore.Hosting.HttpRequestIn";
    private const string Ended = $"{Request}.Stop";
    private const string Status = "http.response.status_code";

    // Whoever asks may make up others, and each would be a resource of its own.
    private static readonly string[] Methods =
    [
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "HEAD",
        "OPTIONS",
        "CONNECT",
        "TRACE",
    ];

    // A program without ASP.NET Core has none of its types, so that they are known by their names alone.
    private static readonly ConcurrentDictionary<(Type, string), PropertyInfo?> Properties = new();

    private readonly Lock _lock = new();
    private readonly List<IDisposable> _subscriptions = [];

    public WebRequests() => Add(DiagnosticListener.AllListeners.Subscribe(this));

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == Source)
        {
            // Who does not hear that one begins is not told that it ends.
            Add(value.Subscribe(this, name => name.StartsWith(Request, StringComparison.Ordinal)));
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        // Another library may have said it all.
        if (
            value.Key == Ended
            && Activity.Current is { Recorded: true } activity
            && activity.GetTagItem(Status) is null
        )
        {
            Describe(activity, value.Value);
        }
    }

    public void OnCompleted() { }

    public void OnError(Exception error) { }

    public void Dispose()
    {
        lock (_lock)
        {
            _subscriptions.ForEach(subscription => subscription.Dispose());
        }
    }

    private void Add(IDisposable subscription)
    {
        lock (_lock)
        {
            _subscriptions.Add(subscription);
        }
    }

    private static void Describe(Activity activity, object? context)
    {
        var (request, features) = (Of(context, "Request"), Of(context, "Features"));
        // What answers in place of an endpoint that failed is not what was asked for.
        var failure = Feature(features, "IExceptionHandlerFeature");
        var endpoint = Of(failure ?? Feature(features, "IEndpointFeature"), "Endpoint");
        var method = Of(request, "Method") as string ?? "";
        activity
            .SetTag("http.request.method", Methods.Contains(method) ? method : "_OTHER")
            .SetTag(Status, Of(Of(context, "Response"), "StatusCode"))
            .SetTag("http.route", Of(Of(endpoint, "RoutePattern"), "RawText"))
            .SetTag("url.scheme", Of(request, "Scheme"))
            .SetTag("url.path", $"{Of(request, "PathBase")}{Of(failure, "Path") ?? Of(request, "Path")}")
            .SetTag("server.address", Of(Of(request, "Host"), "Host"))
            .SetTag("network.protocol.version", (Of(request, "Protocol") as string)?.Split('/')[^1]);
        if (Of(failure, "Error") is Exception error)
        {
            activity.AddException(error);
        }
    }

    private static (Type Type, object Value)? Feature(object? features, string name)
    {
        foreach (var (type, value) in features as IEnumerable<KeyValuePair<Type, object>> ?? [])
        {
            if (type.Name == name)
            {
                return (type, value);
            }
        }

        return null;
    }

    private static object? Of(object? of, string name) => of is null ? null : Of((of.GetType(), of), name);

    // Of an interface that it has, for its own type may hide it.
    private static object? Of((Type Type, object Value)? of, string name) =>
        of is { } known
            ? Properties.GetOrAdd((known.Type, name), key => key.Item1.GetProperty(key.Item2))?.GetValue(known.Value)
            : null;
}
