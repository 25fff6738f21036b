using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>Something at Datadog that is ours.</summary>
/// <param name="Id">By which it is asked for.</param>
/// <param name="Body">As Datadog answers it.</param>
internal sealed record Existing(string Id, JsonObject Body);

/// <summary>The assets of one kind in an account, as they are during one run.</summary>
internal abstract class AccountAssets(AccountApi api)
{
    /// <summary>The right to write them, as Datadog names it.</summary>
    public abstract string Right { get; }

    protected AccountApi Api => api;

    /// <summary>Ours of that key; null when there is none.</summary>
    public abstract Task<Existing?> FindAsync(Asset asset, CancellationToken cancellationToken);

    /// <summary>Whether one that is not there can be made now.</summary>
    public virtual Task<bool> MayCreateAsync(Asset asset, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <summary>Makes it, and gives its id.</summary>
    public abstract Task<string> CreateAsync(Asset asset, CancellationToken cancellationToken);

    /// <summary>Changes it.</summary>
    /// <param name="existing">Which.</param>
    /// <param name="body">What <see cref="Merge"/> gave.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public abstract Task UpdateAsync(Existing existing, JsonObject body, CancellationToken cancellationToken);

    /// <summary>Takes it away; what is gone already is no error.</summary>
    public abstract Task RemoveAsync(Existing existing, CancellationToken cancellationToken);

    /// <summary>What to send in order to have ours as we want it, and leave what somebody set of which we say nothing.</summary>
    public abstract JsonObject Merge(Existing existing, Asset asset);

    /// <summary>Ours over what is there: of objects each field, of lists of tags each tag, else ours.</summary>
    protected static JsonObject Over(JsonObject there, JsonObject ours)
    {
        var merged = new JsonObject();
        foreach (var (name, value) in there.Where(field => field.Value is not null))
        {
            merged[name] = value!.DeepClone();
        }
        foreach (var (name, value) in ours)
        {
            merged[name] = (merged[name], value) switch
            {
                (JsonObject before, JsonObject wanted) => Over(before, wanted),
                (JsonArray before, JsonArray wanted) when name == Difference.Tags => new JsonArray([
                    .. before.Concat(wanted).Select(t => (string)t!).Distinct().Select(t => (JsonNode)t),
                ]),
                _ => value?.DeepClone(),
            };
        }
        return merged;
    }

    /// <summary>The fields of that name of what is there that may be sent back.</summary>
    protected static JsonObject Kept(JsonObject there, params ReadOnlySpan<string> names)
    {
        var kept = new JsonObject();
        foreach (var name in names)
        {
            if (there[name] is { } value)
            {
                kept[name] = value.DeepClone();
            }
        }
        return kept;
    }
}
