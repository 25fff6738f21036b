using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using StreamSpace.Platform.Sources.Kubernetes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>
/// A Kubernetes of our own on loopback, with StreamSpace's sessions and their pods: what it holds, and what can go
/// wrong with it. <see cref="FakeClusterApi"/> serves it, with TLS under an authority of its own and a service account
/// token. It is strict: what a real API server would refuse, or a client must not ask, becomes a complaint.
/// </summary>
public sealed partial class FakeCluster : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, SortedDictionary<string, JsonObject>> _held = new(StringComparer.Ordinal);
    private readonly List<Change> _log = [];
    private readonly List<Watch> _watches = [];
    private readonly HashSet<string> _forbidden = new(StringComparer.Ordinal);
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Cpu, string Memory)> _usage = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _claims = new(StringComparer.Ordinal);
    private readonly List<string> _complaints = [];
    private readonly Dictionary<string, int> _asked = new(StringComparer.Ordinal);
    private FakeClusterApi? _api;
    private long _version = 1000;
    private long _oldest = 1000;
    private int _uids;

    private FakeCluster(TimeProvider clock) => _clock = clock;

    /// <summary>The only token that it takes.</summary>
    public string Token { get; private set; } = NewToken();

    /// <summary>The API server's port; it stays over <see cref="StopAsync"/>.</summary>
    public int Port => _api!.Port;

    /// <summary>The port of the only node's kubelet.</summary>
    public int KubeletPort => _api!.KubeletPort;

    /// <summary>A path of a kubeconfig that reaches it. It is gone with the cluster.</summary>
    public string KubeConfig => _api!.KubeConfig;

    /// <summary>The service account as the kubelet lays it into a pod in the namespace <c>watchers</c>.</summary>
    public ServiceAccount ServiceAccount => _api!.ServiceAccount;

    /// <summary>What was asked for that must not be.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_lock)
            {
                return [.. _complaints];
            }
        }
    }

    /// <summary>How many watches of <paramref name="kind"/> are open.</summary>
    public int OpenWatches(string kind)
    {
        lock (_lock)
        {
            return _watches.Count(w => w.Kind == kind);
        }
    }

    /// <summary>How often something was asked for, such as <c>list sessions</c> or <c>watch pods</c>.</summary>
    public int Asked(string what)
    {
        lock (_lock)
        {
            return _asked.GetValueOrDefault(what);
        }
    }

    /// <summary>Most items of one page of a list; a smaller limit of the client goes first.</summary>
    public int PageSize { get; set; } = 500;

    /// <summary>Bytes that a watch sends at a time; 0 for all at once.</summary>
    public int Drip { get; set; }

    /// <summary>Has watches that are opened from now on say nothing, and never end: a connection whose other end is gone.</summary>
    public bool Stalls { get; set; }

    /// <summary>Answers each watch of these kinds with 200, and closes it at once without a line; null for none.</summary>
    public Predicate<string>? ClosesWatches { get; set; }

    /// <summary>Called before each page of a list is made, with its kind and number from 0.</summary>
    public Action<string, int>? BeforePage { get; set; }

    /// <summary>Cores of the node.</summary>
    public string NodeCpu { get; set; } = "8";

    /// <summary>Starts one that holds nothing.</summary>
    public static async Task<FakeCluster> StartAsync(TimeProvider clock)
    {
        var cluster = new FakeCluster(clock);
        cluster._api = new FakeClusterApi(cluster, clock);
        await cluster._api.StartAsync();
        return cluster;
    }

    /// <summary>From now on another token is taken, which the kubelet lays into the pod.</summary>
    public Task RotateTokenAsync()
    {
        Token = NewToken();
        return _api!.LayAsync();
    }

    /// <summary>The server goes away, with its connections; what it holds stays.</summary>
    public Task StopAsync() => _api!.StopAsync();

    /// <summary>The server comes back on its ports.</summary>
    public Task RestartAsync() => _api!.StartAsync();

    /// <summary>Answers 403 for a kind: <c>sessions</c>, <c>deployments</c>, <c>pods</c>, <c>metrics</c>, <c>nodes</c>, <c>kubelet</c>.</summary>
    public void Forbid(string kind) => Under(() => _forbidden.Add(kind));

    /// <summary>Takes <see cref="Forbid"/> back.</summary>
    public void Allow(string kind) => Under(() => _forbidden.Remove(kind));

    /// <summary>Answers 404 for a kind, as for metrics.k8s.io without a metrics-server.</summary>
    public void Remove(string kind) => Under(() => _absent.Add(kind));

    /// <summary>Forgets all versions before now: watches that go on from one get 410, and so do lists under way.</summary>
    public void Expire() =>
        Under(() =>
        {
            _oldest = ++_version;
            _log.Clear();
        });

    /// <summary>Forgets all versions before the present one, from which a watch may still go on.</summary>
    public void Compact() => Under(() => _oldest = _version);

    /// <summary>Breaks the connection of each watch.</summary>
    public void CutWatches() => Under(() => _watches.ForEach(w => w.Cut.TrySetResult()));

    /// <summary>Ends each watch in order, as at its timeout.</summary>
    public void EndWatches() => Under(() => _watches.ForEach(w => w.Lines.Writer.TryComplete()));

    /// <summary>Sends each watch a bookmark.</summary>
    public void Bookmark() =>
        Under(() => _watches.ForEach(w => w.Lines.Writer.TryWrite(Line("BOOKMARK", Bare(w.Kind, _version)))));

    /// <summary>Sends each watch of sessions a line as it is.</summary>
    public void SendRaw(string line) =>
        Under(() => _watches.Where(w => w.Kind is "sessions").ToList().ForEach(w => w.Lines.Writer.TryWrite(line)));

    /// <summary>What a pod uses now.</summary>
    public void Use(string pod, string cpu, string memory) => Under(() => _usage[pod] = (cpu, memory));

    /// <summary>What a claim uses now, in bytes.</summary>
    public void Fill(string claim, long bytes) => Under(() => _claims[claim] = bytes);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _api!.DisposeAsync();

    private static string NewToken()
    {
        var token = "service-account-token-" + Guid.NewGuid().ToString("N");
        TestRun.Search.Add(token);
        return token;
    }

    private string Second() =>
        _clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    internal void Put(string kind, string @namespace, string name, Action<JsonObject> change) =>
        Under(() =>
        {
            var held = Held(kind, @namespace);
            var isNew = !held.TryGetValue(name, out var before);
            var resource = isNew ? New(kind, @namespace, name) : (JsonObject)before!.DeepClone();
            change(resource);
            resource["metadata"]!["resourceVersion"] = Text(++_version);
            held[name] = resource;
            Publish(kind, @namespace, isNew ? "ADDED" : "MODIFIED", resource, before);
        });

    internal void Drop(string kind, string @namespace, string name) =>
        Under(() =>
        {
            if (Held(kind, @namespace).Remove(name, out var resource))
            {
                resource = (JsonObject)resource.DeepClone();
                resource["metadata"]!["resourceVersion"] = Text(++_version);
                Publish(kind, @namespace, "DELETED", resource, resource);
            }
        });

    private void Publish(string kind, string @namespace, string type, JsonObject now, JsonObject? before)
    {
        var change = new Change(_version, kind, @namespace, type, now, before);
        _log.Add(change);
        foreach (var watch in _watches.Where(w => w.Sees(change)))
        {
            watch.Lines.Writer.TryWrite(change.AsLine);
        }
    }

    private JsonObject New(string kind, string @namespace, string name) =>
        new()
        {
            ["apiVersion"] = kind switch
            {
                "sessions" => "stream.space/v1alpha1",
                "deployments" => "apps/v1",
                _ => "v1",
            },
            ["kind"] = KindOf(kind),
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = @namespace,
                ["uid"] = $"00000000-0000-4000-8000-{++_uids:D12}",
                ["creationTimestamp"] = Second(),
            },
        };

    private SortedDictionary<string, JsonObject> Held(string kind, string @namespace)
    {
        var key = $"{@namespace}/{kind}";
        return _held.TryGetValue(key, out var held)
            ? held
            : _held[key] = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
    }

    private void Under(Action work)
    {
        lock (_lock)
        {
            work();
        }
    }

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static string Line(string type, JsonNode resource) =>
        new JsonObject { ["type"] = type, ["object"] = resource.DeepClone() }.ToJsonString();

    private static JsonObject Bare(string kind, long version) =>
        new()
        {
            ["kind"] = KindOf(kind),
            ["metadata"] = new JsonObject { ["resourceVersion"] = Text(version), ["creationTimestamp"] = null },
        };

    private static string KindOf(string kind) =>
        kind switch
        {
            "sessions" => "Session",
            "deployments" => "Deployment",
            _ => "Pod",
        };

    private static bool Has(JsonObject? resource, (string Key, string Value)? label) =>
        resource is not null
        && (label is not { } wanted || (string?)resource["metadata"]?["labels"]?[wanted.Key] == wanted.Value);

    internal sealed record Change(
        long Version,
        string Kind,
        string Namespace,
        string Type,
        JsonObject Now,
        JsonObject? Before
    )
    {
        public string AsLine => Line(Type, Now);
    }

    /// <summary>A watch that is open.</summary>
    internal sealed record Watch(string Kind, string Namespace, (string Key, string Value)? Label)
    {
        public Channel<string> Lines { get; } = Channel.CreateUnbounded<string>();

        public TaskCompletionSource Cut { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Sees(Change change) =>
            change.Kind == Kind
            && change.Namespace == Namespace
            && (Has(change.Now, Label) || Has(change.Before, Label));
    }
}
