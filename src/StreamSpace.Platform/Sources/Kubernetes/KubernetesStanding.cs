using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>How the source stands, part by part. Any thread.</summary>
internal sealed class KubernetesStanding(
    string source,
    IReadOnlyList<string> namespaces,
    string home,
    TimeProvider clock,
    ILogger logger
)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, string> _errors = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _grants = new(StringComparer.Ordinal);
    private readonly HashSet<string> _deafTo = new(namespaces, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _skipped = new(StringComparer.Ordinal);
    private string _address = "the cluster";
    private string? _warning;
    private SourceState _state = SourceState.Connecting;
    private DateTimeOffset _since = clock.GetUtcNow();
    private DateTimeOffset? _deafSince = clock.GetUtcNow();
    private TimeSpan _deafBefore;
    private long _received;
    private int _lists;

    /// <summary>As an operator wants to see it.</summary>
    public SourceStatus Status
    {
        get
        {
            lock (_lock)
            {
                var sentence = _state switch
                {
                    SourceState.Up => $"Watches {string.Join(", ", namespaces)} at {_address}.",
                    SourceState.Stopped => "Stopped.",
                    _ => $"{_address} is not watched. Tries again by itself.",
                };
                var sentences = string.Join(' ', _errors.Values.Prepend(sentence).Append(_warning).OfType<string>());
                // Below the sentences, ready for kubectl apply: one text may grant several of the rights.
                var grants = string.Join("\n---\n", _grants.Values.Distinct(StringComparer.Ordinal));
                return new SourceStatus(
                    source,
                    _state,
                    grants.Length > 0 ? $"{sentences}\n{grants}" : sentences,
                    _since
                )
                {
                    Received = Interlocked.Read(ref _received),
                    Skipped = new Dictionary<string, long>(_skipped),
                    Deaf = _deafBefore + (_deafSince is { } since ? clock.GetUtcNow() - since : TimeSpan.Zero),
                };
            }
        }
    }

    /// <summary>True when the sessions of every namespace are watched.</summary>
    public bool Watching
    {
        get
        {
            lock (_lock)
            {
                return _deafTo.Count == 0;
            }
        }
    }

    /// <summary>True while a list is being seen: before its last page it is not known what is gone.</summary>
    public bool IsListing => Volatile.Read(ref _lists) > 0;

    /// <summary>A list begins to be seen, or has ended.</summary>
    public void Lists(bool begins) => Interlocked.Add(ref _lists, begins ? 1 : -1);

    /// <summary>Where the cluster is.</summary>
    /// <param name="address">The API server's.</param>
    /// <param name="warning">What an operator should know although it is watched; null for nothing.</param>
    public void At(Uri address, string? warning)
    {
        lock (_lock)
        {
            if (warning is not null && warning != _warning)
            {
                logger.LogWarning("Kubernetes: {Warning}", warning);
            }
            _warning = warning;
            _address = address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        }
    }

    /// <summary>So many resources were taken in.</summary>
    public void Received(int count) => Interlocked.Add(ref _received, count);

    /// <summary>A resource was skipped.</summary>
    public void Skipped(string kind)
    {
        if (_skipped.AddOrUpdate(kind, 1, (_, count) => count + 1) == 1)
        {
            logger.LogWarning("Skipped a Kubernetes resource: {Kind}. More of this kind are only counted.", kind);
        }
    }

    /// <summary>A right of ours works (null), or does not.</summary>
    public void Stands(KubernetesRight right, string @namespace, ClusterException? error)
    {
        var part = Part(right, @namespace);
        lock (_lock)
        {
            var known = _errors.TryGetValue(part, out var before);
            _grants.Remove(part);
            if (error is null)
            {
                _errors.Remove(part);
            }
            else
            {
                _errors[part] = $"{part}: {error.Message} {KubernetesGrants.Fix(right, error)}";
                if (KubernetesGrants.Yaml(right, error, @namespace, home) is { } yaml)
                {
                    _grants[part] = yaml;
                }
            }
            if (right is KubernetesRight.ListSessions)
            {
                Hears(@namespace, error is null);
            }
            if (error is not null && _errors[part] != before)
            {
                logger.LogWarning("Kubernetes: {Error}", _errors[part]);
            }
            else if (error is null && known)
            {
                logger.LogInformation("Kubernetes: {Part} works again.", part);
            }
        }
    }

    /// <summary>The cluster cannot even be tried.</summary>
    public void Unopened(ClusterException? error) => Stands(KubernetesRight.Reach, "", error);

    /// <summary>We were stopped.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            Turn(SourceState.Stopped);
        }
    }

    private void Hears(string @namespace, bool hears)
    {
        if (hears)
        {
            _deafTo.Remove(@namespace);
        }
        else
        {
            _deafTo.Add(@namespace);
        }
        var now = clock.GetUtcNow();
        if (_deafTo.Count == 0)
        {
            _deafBefore += _deafSince is { } since ? now - since : TimeSpan.Zero;
            _deafSince = null;
            Turn(SourceState.Up);
        }
        else
        {
            _deafSince ??= now;
            Turn(_state is SourceState.Connecting or SourceState.Stopped ? SourceState.Connecting : SourceState.Down);
        }
    }

    private void Turn(SourceState state)
    {
        if (state != _state)
        {
            (_state, _since) = (state, clock.GetUtcNow());
        }
    }

    private static string Part(KubernetesRight right, string @namespace) =>
        right switch
        {
            KubernetesRight.Reach => "Cluster",
            KubernetesRight.ListSessions or KubernetesRight.WatchSessions => $"Sessions in {@namespace}",
            KubernetesRight.Deployments => $"Deployments in {@namespace} (sessions of version 2)",
            KubernetesRight.Pods => $"Pods in {@namespace} (time to ready, CPU limit)",
            KubernetesRight.Metrics => $"Metrics in {@namespace} (CPU, memory)",
            KubernetesRight.Nodes => "Nodes (CPU without a limit)",
            _ => "Kubelets (storage)",
        };
}
