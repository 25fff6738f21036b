namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Joins what pods and volumes use to the sessions whose they are.</summary>
internal static class Usage
{
    /// <summary>One observation for each session of which something was measured.</summary>
    /// <param name="view">The sessions and pods there are.</param>
    /// <param name="metrics">What pods use, with their namespaces.</param>
    /// <param name="volumes">Bytes used, by claim.</param>
    /// <param name="cores">Cores of nodes, by name.</param>
    /// <param name="now">When the volumes were measured.</param>
    public static IEnumerable<UsageMeasured> Of(
        ClusterView view,
        IEnumerable<(string Namespace, PodMetrics Metrics)> metrics,
        IReadOnlyDictionary<VolumeClaim, double> volumes,
        IReadOnlyDictionary<string, double> cores,
        DateTimeOffset now
    )
    {
        var parts = new Dictionary<SessionSnapshot, Sum>(ReferenceEqualityComparer.Instance);
        var pods = view.Pods.ToLookup(p => (p.Owner.Namespace, p.Name));
        foreach (var (@namespace, measured) in metrics)
        {
            var pod = pods[(@namespace, measured.Metadata.Name)].LastOrDefault();
            var id = pod?.SessionId ?? measured.Metadata.Labels?.GetValueOrDefault("session");
            var usage = measured.Containers?.FirstOrDefault(c => c.Name is PodSnapshot.SessionContainer)?.Usage;
            if (usage is not null && view.Find(@namespace, id) is { } session)
            {
                var limit = pod?.CpuLimit ?? (pod?.Node is { } node && cores.TryGetValue(node, out var n) ? n : null);
                parts[session] = parts.GetValueOrDefault(session).Plus(measured.Timestamp, usage, limit);
            }
        }
        foreach (var (session, bytes) in Homes(view, volumes))
        {
            parts[session] = parts.GetValueOrDefault(session) with { Storage = bytes };
        }
        return parts.Select(p => new UsageMeasured(
            p.Key.Id,
            p.Value.At ?? now,
            p.Value.CpuPercent,
            p.Value.Memory,
            p.Value.Storage
        ));
    }

    // Of version 1 all sessions of a user share one home, which counts for the oldest that is awake; of version 2 each has its own.
    private static IEnumerable<(SessionSnapshot Session, double Bytes)> Homes(
        ClusterView view,
        IReadOnlyDictionary<VolumeClaim, double> volumes
    ) =>
        volumes.Count == 0
            ? []
            : view
                .Sessions.Where(s => s is { Reported: ReportedStatus.Running, Owner.User: not null })
                .GroupBy(s => new VolumeClaim(
                    s.Witness is Witness.Workload ? $"{s.Id}-home" : $"home-{s.Owner.User}",
                    s.Owner.Namespace
                ))
                .Where(g => volumes.ContainsKey(g.Key))
                .Select(g => (g.MinBy(s => (s.CreatedAt, s.Id))!, volumes[g.Key]));

    private readonly record struct Sum(
        DateTimeOffset? At,
        double? Cores,
        double? Limit,
        double? Memory,
        double? Storage
    )
    {
        // A limit that came from a request or a node can be passed; a percentage ends at 100.
        public double? CpuPercent => Cores / Limit is { } share ? Math.Min(share * 100, 100) : null;

        public Sum Plus(DateTimeOffset at, IReadOnlyDictionary<string, string> usage, double? limit) =>
            this with
            {
                At = at,
                Cores = Add(Cores, Quantity.Read(usage.GetValueOrDefault("cpu"))),
                Limit = Add(Limit, limit),
                Memory = Add(Memory, Quantity.Read(usage.GetValueOrDefault("memory"))),
            };

        private static double? Add(double? one, double? other) => one is null ? other : one + (other ?? 0);
    }
}
