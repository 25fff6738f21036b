using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StreamSpace.Platform.Sources.Kubernetes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Serves a <see cref="FakeCluster"/>: the API server on one port, the kubelet on another.</summary>
internal sealed class FakeClusterApi(FakeCluster cluster, TimeProvider clock) : IAsyncDisposable
{
    private readonly string _folder = TestRun.NewGivenFolder();
    private readonly FakeAuthority _authority = new();
    private readonly FakeWatchApi _watches = new(cluster, clock);
    private WebApplication? _web;

    public int Port { get; private set; }

    public int KubeletPort { get; private set; }

    public string KubeConfig => Path.Combine(_folder, "kubeconfig");

    public ServiceAccount ServiceAccount =>
        new(new Uri($"https://127.0.0.1:{Port}"), Path.Combine(_folder, "serviceaccount"));

    public async Task StartAsync()
    {
        for (var tries = 1; _web is null; tries++)
        {
            var web = Build();
            try
            {
                await web.StartAsync();
                _web = web;
            }
            catch (IOException e) when (e.InnerException is AddressInUseException && tries < 100)
            {
                // While it was away, somebody's connection was given the port that it comes back to.
                await web.DisposeAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
        var ports = _web
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.Select(a => new Uri(a).Port)
            .ToList();
        (Port, KubeletPort) = (ports[0], ports[1]);
        await LayAsync();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            foreach (var port in (int[])[Port, KubeletPort])
            {
                kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(_authority.Server));
            }
        });
        var web = builder.Build();
        web.Run(AnswerAsync);
        return web;
    }

    /// <summary>Writes down how to reach it, for those without and within.</summary>
    public async Task LayAsync()
    {
        Directory.CreateDirectory(ServiceAccount.Folder);
        await File.WriteAllTextAsync(KubeConfig, KubeConfigText());
        await File.WriteAllTextAsync(Path.Combine(ServiceAccount.Folder, "token"), cluster.Token + "\n");
        await File.WriteAllTextAsync(Path.Combine(ServiceAccount.Folder, "ca.crt"), _authority.Pem);
        await File.WriteAllTextAsync(Path.Combine(ServiceAccount.Folder, "namespace"), "watchers");
    }

    public async Task StopAsync()
    {
        cluster.CutWatches();
        if (_web is { } web)
        {
            _web = null;
            using var now = new CancellationTokenSource(TimeSpan.Zero);
            await web.StopAsync(now.Token);
            await web.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string KubeConfigText() =>
        $$"""
            apiVersion: v1
            kind: Config
            current-context: fake
            clusters:
              - name: fake
                cluster:
                  server: https://127.0.0.1:{{Port}}
                  certificate-authority-data: {{Convert.ToBase64String(Encoding.ASCII.GetBytes(_authority.Pem))}}
            contexts:
              - name: fake
                context: { cluster: fake, user: fake }
            users:
              - name: fake
                user: { token: {{cluster.Token}} }
            """;

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!.Trim('/').Split('/');
        if (http.Request.Method is not "GET")
        {
            cluster.Complain($"{http.Request.Method} {http.Request.Path}: we only read.");
        }
        if (http.Request.Headers.Authorization != $"Bearer {cluster.Token}")
        {
            await RefuseAsync(http, 401);
            return;
        }
        if (http.Connection.LocalPort == KubeletPort)
        {
            await (
                path is ["stats", "summary"]
                    ? JsonAsync(http, "kubelet", () => cluster.Usage.Summary())
                    : RefuseAsync(http, 404)
            );
            return;
        }
        await (
            path switch
            {
                ["version"] => JsonAsync(http, "version", () => new JsonObject { ["major"] = "1" }),
                ["apis", "stream.space", "v1alpha1", "namespaces", var name, "sessions"] => ResourcesAsync(
                    http,
                    "sessions",
                    name
                ),
                ["apis", "apps", "v1", "namespaces", var name, "deployments"] => ResourcesAsync(
                    http,
                    "deployments",
                    name
                ),
                ["api", "v1", "namespaces", var name, "pods"] => ResourcesAsync(http, "pods", name),
                ["apis", "metrics.k8s.io", "v1beta1", "namespaces", var name, "pods"] => JsonAsync(
                    http,
                    "metrics",
                    () => cluster.Usage.Metrics(name, Label(http))
                ),
                ["api", "v1", "nodes", "node-1"] => JsonAsync(http, "nodes", () => cluster.Usage.Node()),
                _ => UnknownAsync(http),
            }
        );
    }

    private async Task UnknownAsync(HttpContext http)
    {
        cluster.Complain($"{http.Request.Path} is nothing that we should ask for.");
        await RefuseAsync(http, 404);
    }

    private async Task JsonAsync(HttpContext http, string kind, Func<JsonObject> answer)
    {
        cluster.Note(kind);
        if (cluster.Refusal(kind) is { } refusal)
        {
            await RefuseAsync(http, refusal);
            return;
        }
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer().ToJsonString());
    }

    private async Task ResourcesAsync(HttpContext http, string kind, string @namespace)
    {
        var query = http.Request.Query;
        var isWatch = query["watch"] == "1";
        cluster.Note($"{(isWatch ? "watch" : "list")} {kind}");
        string[] allowed = isWatch
            ? ["watch", "resourceVersion", "allowWatchBookmarks", "timeoutSeconds", "labelSelector"]
            : ["limit", "continue", "labelSelector"];
        foreach (var unknown in query.Keys.Except(allowed))
        {
            cluster.Complain($"{unknown} is no parameter of {kind}.");
        }
        if (cluster.Refusal(kind) is { } refusal)
        {
            await RefuseAsync(http, refusal);
        }
        else if (isWatch)
        {
            await _watches.ServeAsync(http, kind, @namespace);
        }
        else if (!int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > 1000)
        {
            cluster.Complain($"A list of {kind} has no bound.");
            await RefuseAsync(http, 400);
        }
        else if (cluster.Page(kind, @namespace, Label(http), limit, query["continue"].FirstOrDefault()) is { } page)
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(page.ToJsonString());
        }
        else
        {
            await RefuseAsync(http, 410);
        }
    }

    internal static (string, string)? Label(HttpContext http) =>
        http.Request.Query["labelSelector"].FirstOrDefault()?.Split('=') is [var key, var value] ? (key, value) : null;

    internal static async Task RefuseAsync(HttpContext http, int code)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(StatusText(code));
    }

    internal static string StatusText(int code) =>
        $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"code {{code}}","code":{{code}}}""";
}
