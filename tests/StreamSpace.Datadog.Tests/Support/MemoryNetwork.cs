using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace StreamSpace.Datadog.Tests.Support;

/// <summary>
/// A network without sockets: servers listen at addresses of it, and clients come to them at once, so that nothing that
/// a test does to its clock comes in between a request and its answer. Where nobody listens, nobody answers.
/// </summary>
internal sealed class MemoryNetwork : HttpMessageHandler
{
    private static readonly ConcurrentDictionary<string, Server> Servers = new();
    private static int _lastPort = 1000;

    /// <summary>A server at an address of its own.</summary>
    public static (IServer Server, Uri Address) NewServer()
    {
        var address = new Uri($"http://127.0.0.1:{Interlocked.Increment(ref _lastPort)}");
        return (new Server(address), address);
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (!Servers.TryGetValue(request.RequestUri!.Authority, out var server))
        {
            throw new HttpRequestException("Nobody listens there.");
        }
        using var asked = new MemoryStream();
        if (request.Content is { } content)
        {
            await content.CopyToAsync(asked, CancellationToken.None);
        }
        asked.Position = 0;
        var answered = new MemoryStream();
        var response = new HttpResponseFeature();
        var body = new StreamResponseBodyFeature(answered);
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(Asked(request, asked));
        features.Set<IHttpRequestBodyDetectionFeature>(new Body(request.Content is not null));
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(body);
        await server.Handle(features);
        await body.CompleteAsync();
        return Answered(response, answered.ToArray());
    }

    private static HttpRequestFeature Asked(HttpRequestMessage request, Stream body)
    {
        var uri = request.RequestUri!;
        var headers = new HeaderDictionary { ["Host"] = uri.Authority };
        foreach (
            var (name, values) in request.Headers.Concat(
                request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>()
            )
        )
        {
            headers[name] = values.ToArray();
        }
        headers.ContentLength = body.Length;
        return new HttpRequestFeature
        {
            Protocol = "HTTP/1.1",
            Scheme = uri.Scheme,
            Method = request.Method.Method,
            Path = Uri.UnescapeDataString(uri.AbsolutePath),
            QueryString = uri.Query,
            RawTarget = uri.PathAndQuery,
            Headers = headers,
            Body = body,
        };
    }

    private static HttpResponseMessage Answered(HttpResponseFeature response, byte[] body)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)response.StatusCode)
        {
            Content = new ByteArrayContent(body),
        };
        foreach (var (name, values) in response.Headers)
        {
            if (!answer.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                answer.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }
        return answer;
    }

    private sealed record Body(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    private sealed class Server : IServer
    {
        private readonly Uri _address;

        public Server(Uri address)
        {
            _address = address;
            Features.Set<IServerAddressesFeature>(new ServerAddressesFeature());
        }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Func<IFeatureCollection, Task> Handle { get; private set; } = _ => Task.CompletedTask;

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull
        {
            Handle = async features =>
            {
                var context = application.CreateContext(features);
                await application.ProcessRequestAsync(context);
                application.DisposeContext(context, null);
            };
            Servers[_address.Authority] = this;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            Servers.TryRemove(_address.Authority, out _);
            return Task.CompletedTask;
        }

        public void Dispose() { }
    }
}
