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
public sealed class FakeCluster : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, SortedDictionary<string, JsonObject>> _held = new(StringComparer.Ordinal);
    private readonly List<FakeChange> _log = [];
    private readonly List<FakeWatch> _watches = [];
    private readonly HashSet<string> _forbidden = new(StringComparer.Ordinal);
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<JsonObject>> _listsUnderWay = new(StringComparer.Ordinal);
    private readonly List<string> _complaints = [];
    private readonly Dictionary<string, int> _asked = new(StringComparer.Ordinal);
    private FakeClusterApi? _api;
    private long _version = 1000;
    private long _oldest = 1000;
    private int _uids;

    private FakeCluster(TimeProvider clock) => (_clock, Usage) = (clock, new FakeUsage(this));

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
    public string NodeCpu
    {
        get => Usage.Cores;
        set => Usage.Cores = value;
    }

    internal FakeUsage Usage { get; }

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
        Under(() =>
            _watches.ForEach(w =>
                w.Lines.Writer.TryWrite(FakeResource.Line("BOOKMARK", FakeResource.Bare(w.Kind, _version)))
            )
        );

    /// <summary>Sends each watch of sessions a line as it is.</summary>
    public void SendRaw(string line) =>
        Under(() => _watches.Where(w => w.Kind is "sessions").ToList().ForEach(w => w.Lines.Writer.TryWrite(line)));

    /// <summary>What a pod uses now.</summary>
    public void Use(string pod, string cpu, string memory) => Usage.Use(pod, cpu, memory);

    /// <summary>What a claim uses now, in bytes.</summary>
    public void Fill(string claim, long bytes) => Usage.Fill(claim, bytes);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _api!.DisposeAsync();

    private static string NewToken()
    {
        var token = "service-account-token-" + Guid.NewGuid().ToString("N");
        TestRun.Search.Add(token);
        return token;
    }

    internal string Second() =>
        _clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    internal void Put(string kind, string @namespace, string name, Action<JsonObject> change) =>
        Under(() =>
        {
            var held = Held(kind, @namespace);
            var isNew = !held.TryGetValue(name, out var before);
            var resource = isNew
                ? FakeResource.New(kind, @namespace, name, ++_uids, Second())
                : (JsonObject)before!.DeepClone();
            change(resource);
            resource["metadata"]!["resourceVersion"] = FakeResource.Text(++_version);
            held[name] = resource;
            Publish(kind, @namespace, isNew ? "ADDED" : "MODIFIED", resource, before);
        });

    internal void Drop(string kind, string @namespace, string name) =>
        Under(() =>
        {
            if (Held(kind, @namespace).Remove(name, out var resource))
            {
                resource = (JsonObject)resource.DeepClone();
                resource["metadata"]!["resourceVersion"] = FakeResource.Text(++_version);
                Publish(kind, @namespace, "DELETED", resource, resource);
            }
        });

    private void Publish(string kind, string @namespace, string type, JsonObject now, JsonObject? before)
    {
        var change = new FakeChange(_version, kind, @namespace, type, now, before);
        _log.Add(change);
        foreach (var watch in _watches.Where(w => w.Sees(change)))
        {
            watch.Lines.Writer.TryWrite(change.AsLine);
        }
    }

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

    /// <summary>Everything of a kind, wherever it is.</summary>
    internal IReadOnlyList<JsonObject> All(string kind)
    {
        lock (_lock)
        {
            return
            [
                .. _held
                    .Where(h => h.Key.EndsWith($"/{kind}", StringComparison.Ordinal))
                    .SelectMany(h => h.Value.Values),
            ];
        }
    }

    /// <summary>A refusal, or null.</summary>
    internal int? Refusal(string kind)
    {
        lock (_lock)
        {
            return _absent.Contains(kind) ? 404
                : _forbidden.Contains(kind) ? 403
                : null;
        }
    }

    internal void Complain(string what) => Under(() => _complaints.Add(what));

    internal void Note(string what) => Under(() => _asked[what] = _asked.GetValueOrDefault(what) + 1);

    /// <summary>A page of a list; null when its continue token is too old.</summary>
    internal JsonObject? Page(string kind, string @namespace, (string, string)? label, int limit, string? more)
    {
        var number = more is null ? 0 : int.Parse(more.Split(':')[2], CultureInfo.InvariantCulture);
        BeforePage?.Invoke(kind, number);
        lock (_lock)
        {
            // A list shows one moment, however many pages it has.
            var version = more is null ? _version : long.Parse(more.Split(':')[0], CultureInfo.InvariantCulture);
            var token = more?.Split(':')[1] ?? Guid.NewGuid().ToString("N");
            if (more is null)
            {
                _listsUnderWay[token] = [.. Held(kind, @namespace).Values.Where(r => FakeResource.Has(r, label))];
            }
            if (version < _oldest || !_listsUnderWay.TryGetValue(token, out var all))
            {
                return null;
            }
            var size = Math.Min(limit, PageSize);
            var items = all.Skip(number).Take(size).Select(r => r.DeepClone()).ToArray();
            var next = number + items.Length;
            var metadata = new JsonObject { ["resourceVersion"] = FakeResource.Text(version) };
            if (next < all.Count)
            {
                metadata["continue"] = $"{version}:{token}:{next}";
            }
            else
            {
                _listsUnderWay.Remove(token);
            }
            return new JsonObject { ["metadata"] = metadata, ["items"] = new JsonArray(items) };
        }
    }

    /// <summary>Opens a watch from a version; null when that is too old.</summary>
    internal FakeWatch? Open(string kind, string @namespace, (string, string)? label, long version)
    {
        lock (_lock)
        {
            if (version < _oldest)
            {
                return null;
            }
            var watch = new FakeWatch(kind, @namespace, label);
            foreach (var change in _log.Where(c => c.Version > version && watch.Sees(c)))
            {
                watch.Lines.Writer.TryWrite(change.AsLine);
            }
            _watches.Add(watch);
            return watch;
        }
    }

    internal void Close(FakeWatch watch) => Under(() => _watches.Remove(watch));
}
