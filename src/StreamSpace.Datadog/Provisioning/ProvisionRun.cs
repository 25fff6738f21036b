using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>One run as it goes, for whoever asks meanwhile.</summary>
internal sealed class ProvisionRun(ProvisionRequest request, DateTimeOffset startedAt)
{
    private readonly Lock _lock = new();
    private readonly List<Outcome> _outcomes = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _error;

    public ProvisionRequest Request => request;

    /// <summary>Completes with it.</summary>
    public Task Done => _done.Task;

    /// <summary>Whether some of it waits for points that Datadog has not had yet.</summary>
    public bool Waits
    {
        get
        {
            lock (_lock)
            {
                return _outcomes.Exists(o => o.Change is Change.Wait);
            }
        }
    }

    /// <summary>Takes what became of an asset, in place of what was said of it before.</summary>
    public void Tell(Outcome outcome)
    {
        lock (_lock)
        {
            var at = _outcomes.FindIndex(o => (o.Asset.Kind, o.Asset.Key) == (outcome.Asset.Kind, outcome.Asset.Key));
            if (at < 0)
            {
                _outcomes.Add(outcome);
            }
            else
            {
                _outcomes[at] = outcome;
            }
        }
    }

    /// <summary>Nothing more becomes of it.</summary>
    /// <param name="error">Why it could not be ended; null when it was.</param>
    public void End(string? error)
    {
        lock (_lock)
        {
            _error = error;
        }
        _done.TrySetResult();
    }

    /// <summary>As it is answered.</summary>
    public JsonObject Document()
    {
        lock (_lock)
        {
            return new JsonObject
            {
                ["state"] = _done.Task.IsCompleted ? "done" : "running",
                ["startedAt"] = startedAt,
                ["dryRun"] = request.DryRun,
                ["delete"] = request.Delete,
                ["error"] = _error,
                ["counts"] = new JsonObject(
                    Enum.GetValues<Change>()
                        .Select(change =>
                            KeyValuePair.Create<string, JsonNode?>(
                                Word(change),
                                _outcomes.Count(o => o.Change == change)
                            )
                        )
                ),
                ["assets"] = new JsonArray([.. _outcomes.Select(Of)]),
            };
        }
    }

    private static JsonObject Of(Outcome outcome)
    {
        var json = new JsonObject
        {
            ["kind"] = outcome.Asset.Kind.ToString().ToLowerInvariant(),
            ["key"] = outcome.Asset.Key,
            ["name"] = outcome.Asset.Name,
            ["change"] = Word(outcome.Change),
        };
        if (outcome.Differences.Count > 0)
        {
            json["differences"] = new JsonArray([
                .. outcome.Differences.Select(difference => new JsonObject
                {
                    ["field"] = difference.Path,
                    ["now"] = difference.Now?.DeepClone(),
                    ["wanted"] = difference.Wanted?.DeepClone(),
                }),
            ]);
        }
        if (outcome.Error is { } error)
        {
            json["error"] = error;
        }
        return json;
    }

    private static string Word(Change change) => change.ToString().ToLowerInvariant();
}
