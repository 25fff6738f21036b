using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamSpace.Plugins;

namespace SessionCounter;

/// <summary>Counts the sessions that are asked for, per template.</summary>
public sealed class SessionCounterPlugin : IPlugin
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    // What was counted last: facts may come again, but never out of order.
    private (string Log, long Sequence) _counted;
    private IPluginContext _context = null!;

    /// <inheritdoc/>
    public bool KeepsDataLocal => true;

    /// <inheritdoc/>
    public JsonObject Config { get; private set; } = [];

    /// <inheritdoc/>
    public JsonObject Status => new() { ["counted"] = _counts.Values.Sum() };

    /// <inheritdoc/>
    public IReadOnlyList<PluginCommand> Commands =>
        [
            new(
                "hello",
                "Says hello to whoever is named.",
                async (arguments, output, _) =>
                {
                    await output.WriteLineAsync($"Hello, {string.Join(' ', arguments)}.");
                    return 0;
                }
            ),
        ];

    /// <inheritdoc/>
    public ValueTask LoadAsync(IPluginContext context, CancellationToken cancellationToken)
    {
        _context = context;
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ConfigError>> ConfigureAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    )
    {
        var errors = new List<ConfigError>();
        var read = _context.Manifest.ConfigSchema.Read(settings.Values, errors);
        Config = errors.Count == 0 ? read : Config;
        return new(errors);
    }

    /// <inheritdoc/>
    public ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken)
    {
        var prefix = (string?)Config["prefix"] ?? "";
        var known = batch.LogId == _counted.Log ? _counted.Sequence : 0;
        foreach (var created in batch.Facts.Where(fact => fact.Sequence > known).OfType<SessionCreated>())
        {
            var template = created.Session.Template ?? "unknown";
            if (template.StartsWith(prefix, StringComparison.Ordinal))
            {
                _counts.AddOrUpdate(template, 1, (_, count) => count + 1);
            }
        }
        // In memory, as the counts are. A plugin that keeps its counts on disk keeps this with them, in one transaction.
        _counted = (batch.LogId, batch.Facts[^1].Sequence);
        return default;
    }

    /// <inheritdoc/>
    public void MapEndpoints(IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/counts",
                () => Results.Ok(new JsonObject(_counts.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value))))
            )
            .WithSummary("Sessions counted, per template")
            .Produces<JsonObject>();

    /// <inheritdoc/>
    public ValueTask UnloadAsync(CancellationToken cancellationToken) => default;
}
