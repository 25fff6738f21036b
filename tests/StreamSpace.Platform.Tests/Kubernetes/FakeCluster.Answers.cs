using System.Text.Json.Nodes;
using StreamSpace.Platform.Sources.Kubernetes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <content>What it answers. Each refusal is Kubernetes' own: a code and a <c>Status</c>.</content>
public sealed partial class FakeCluster
{
    private readonly Dictionary<string, List<JsonObject>> _listsUnderWay = new(StringComparer.Ordinal);

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
        var number = more is null
            ? 0
            : int.Parse(more.Split(':')[2], System.Globalization.CultureInfo.InvariantCulture);
        BeforePage?.Invoke(kind, number);
        lock (_lock)
        {
            // A list shows one moment, however many pages it has.
            var version = more is null
                ? _version
                : long.Parse(more.Split(':')[0], System.Globalization.CultureInfo.InvariantCulture);
            var token = more?.Split(':')[1] ?? Guid.NewGuid().ToString("N");
            if (more is null)
            {
                _listsUnderWay[token] = [.. Held(kind, @namespace).Values.Where(r => Has(r, label))];
            }
            if (version < _oldest || !_listsUnderWay.TryGetValue(token, out var all))
            {
                return null;
            }
            var size = Math.Min(limit, PageSize);
            var items = all.Skip(number).Take(size).Select(r => r.DeepClone()).ToArray();
            var next = number + items.Length;
            var metadata = new JsonObject { ["resourceVersion"] = Text(version) };
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
    internal Watch? Open(string kind, string @namespace, (string, string)? label, long version)
    {
        lock (_lock)
        {
            if (version < _oldest)
            {
                return null;
            }
            var watch = new Watch(kind, @namespace, label);
            foreach (var change in _log.Where(c => c.Version > version && watch.Sees(c)))
            {
                watch.Lines.Writer.TryWrite(change.AsLine);
            }
            _watches.Add(watch);
            return watch;
        }
    }

    internal void Close(Watch watch) => Under(() => _watches.Remove(watch));

    internal JsonObject Metrics(string @namespace, (string, string)? label)
    {
        lock (_lock)
        {
            var items = Held("pods", @namespace)
                .Where(p => _usage.ContainsKey(p.Key) && Has(p.Value, label))
                .Select(p => new JsonObject
                {
                    ["metadata"] = new JsonObject
                    {
                        ["name"] = p.Key,
                        ["namespace"] = @namespace,
                        ["labels"] = p.Value["metadata"]!["labels"]!.DeepClone(),
                    },
                    ["timestamp"] = Second(),
                    ["window"] = "15s",
                    ["containers"] = new JsonArray(
                        Container("session", _usage[p.Key].Cpu, _usage[p.Key].Memory),
                        Container("istio-proxy", "900m", "900Mi")
                    ),
                });
            return new JsonObject { ["metadata"] = new JsonObject(), ["items"] = new JsonArray([.. items]) };
        }
    }

    internal JsonObject Node() =>
        new() { ["status"] = new JsonObject { ["allocatable"] = new JsonObject { ["cpu"] = NodeCpu } } };

    /// <summary>Every pod of a user's tells of the same home.</summary>
    internal JsonObject Summary()
    {
        lock (_lock)
        {
            var pods = _held
                .Where(h => h.Key.EndsWith("/pods", StringComparison.Ordinal))
                .SelectMany(h => h.Value.Values)
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

    private static JsonObject Container(string name, string cpu, string memory) =>
        new()
        {
            ["name"] = name,
            ["usage"] = new JsonObject { ["cpu"] = cpu, ["memory"] = memory },
        };
}
