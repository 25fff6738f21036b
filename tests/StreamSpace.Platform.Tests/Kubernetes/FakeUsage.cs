using System.Text.Json.Nodes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>What the pods of a <see cref="FakeCluster"/> use, as its metrics-server, its node and that one's kubelet tell.</summary>
internal sealed class FakeUsage(FakeCluster cluster)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Cpu, string Memory)> _usage = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _claims = new(StringComparer.Ordinal);

    public string Cores { get; set; } = "8";

    public void Use(string pod, string cpu, string memory)
    {
        lock (_lock)
        {
            _usage[pod] = (cpu, memory);
        }
    }

    public void Fill(string claim, long bytes)
    {
        lock (_lock)
        {
            _claims[claim] = bytes;
        }
    }

    public JsonObject Metrics(string @namespace, (string, string)? label)
    {
        lock (_lock)
        {
            var items = cluster
                .All("pods")
                .Where(p => (string?)p["metadata"]!["namespace"] == @namespace)
                .Where(p => _usage.ContainsKey(NameOf(p)) && FakeResource.Has(p, label))
                .Select(p => new JsonObject
                {
                    ["metadata"] = new JsonObject
                    {
                        ["name"] = NameOf(p),
                        ["namespace"] = @namespace,
                        ["labels"] = p["metadata"]!["labels"]!.DeepClone(),
                    },
                    ["timestamp"] = cluster.Second(),
                    ["window"] = "15s",
                    ["containers"] = new JsonArray(
                        Container("session", _usage[NameOf(p)].Cpu, _usage[NameOf(p)].Memory),
                        Container("istio-proxy", "900m", "900Mi")
                    ),
                });
            return new JsonObject { ["metadata"] = new JsonObject(), ["items"] = new JsonArray([.. items]) };
        }
    }

    public JsonObject Node() =>
        new() { ["status"] = new JsonObject { ["allocatable"] = new JsonObject { ["cpu"] = Cores } } };

    /// <summary>Every pod of a user's tells of the same home.</summary>
    public JsonObject Summary()
    {
        lock (_lock)
        {
            var pods = cluster
                .All("pods")
                .SelectMany(p =>
                    (
                        (string[])
                            [
                                $"home-{p["metadata"]!["labels"]!["user"]}",
                                $"{p["metadata"]!["labels"]!["session"]}-home",
                            ]
                    ).Select(claim => (Pod: p, Claim: claim))
                )
                .Where(p => _claims.ContainsKey(p.Claim))
                .Select(p => new JsonObject
                {
                    ["podRef"] = new JsonObject { ["name"] = p.Pod["metadata"]!["name"]!.DeepClone() },
                    ["volume"] = new JsonArray(
                        new JsonObject { ["name"] = "kube-api-access", ["usedBytes"] = 12288 },
                        new JsonObject
                        {
                            ["name"] = "user-home",
                            ["usedBytes"] = _claims[p.Claim],
                            ["capacityBytes"] = 53687091200,
                            ["pvcRef"] = new JsonObject
                            {
                                ["name"] = p.Claim,
                                ["namespace"] = p.Pod["metadata"]!["namespace"]!.DeepClone(),
                            },
                        }
                    ),
                });
            return new JsonObject { ["node"] = new JsonObject(), ["pods"] = new JsonArray([.. pods]) };
        }
    }

    private static string NameOf(JsonObject pod) => (string)pod["metadata"]!["name"]!;

    private static JsonObject Container(string name, string cpu, string memory) =>
        new()
        {
            ["name"] = name,
            ["usage"] = new JsonObject { ["cpu"] = cpu, ["memory"] = memory },
        };
}
