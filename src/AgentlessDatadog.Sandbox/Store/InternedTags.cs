namespace AgentlessDatadog.Sandbox.Store;

/// <summary>
/// The tags of a series: normalised, sorted, distinct. There is one instance per set, so that reference equality is
/// equality.
/// </summary>
internal sealed class InternedTags(string[] tags, int hash)
{
    public string[] Tags => tags;

    public int Hash => hash;

    /// <summary>How many series hold this set.</summary>
    public int Uses { get; set; }

    /// <summary>Those of them that are as they should be, as a set of its own, which is not interned.</summary>
    public InternedTags Where(Func<string, bool> condition) => new([.. tags.Where(condition)], hash);

    /// <summary>The value of a tag; null without such a key. Several values of one key are joined by commas.</summary>
    public string? ValueOf(string key)
    {
        string? value = null;
        foreach (var tag in tags)
        {
            if (tag.Length > key.Length && tag[key.Length] == ':' && tag.StartsWith(key, StringComparison.Ordinal))
            {
                var part = tag[(key.Length + 1)..];
                value = value is null ? part : $"{value},{part}";
            }
        }
        return value;
    }
}
