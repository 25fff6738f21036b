using System.Diagnostics.CodeAnalysis;
using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>
/// Turns tags as sent into their one <see cref="InternedTags"/>. A tag that was seen before costs one look-up, a set that
/// was seen before one more, and neither allocates. Not safe for threads; the store's lock guards it.
/// </summary>
internal sealed class TagTable
{
    // Beyond this the memory of raw spellings is forgotten and made anew; the sets stay.
    private const int MaxSpellings = 1_000_000;

    private readonly Dictionary<string, string> _spellings = new(StringComparer.Ordinal);
    private readonly HashSet<InternedTags> _sets = new(Comparer.Instance);
    private readonly HashSet<InternedTags>.AlternateLookup<ReadOnlySpan<string>> _bySpan;
    private string[] _scratch = new string[32];

    public TagTable() => _bySpan = _sets.GetAlternateLookup<ReadOnlySpan<string>>();

    public int Count => _sets.Count;

    /// <returns>False when a tag is not one; <paramref name="reason"/> and <paramref name="culprit"/> say which.</returns>
    public bool TryIntern(
        IReadOnlyList<string> tags,
        [NotNullWhen(true)] out InternedTags? set,
        out DropReason reason,
        out string culprit
    )
    {
        reason = default;
        culprit = "";
        set = null;
        if (_scratch.Length < tags.Count)
        {
            _scratch = new string[tags.Count * 2];
        }
        for (var i = 0; i < tags.Count; i++)
        {
            if (!TryNormalise(tags[i], out var tag, out reason))
            {
                culprit = tags[i];
                return false;
            }
            _scratch[i] = tag;
        }

        var sorted = _scratch.AsSpan(0, tags.Count);
        sorted.Sort(string.CompareOrdinal);
        var distinct = Distinct(sorted);
        if (!_bySpan.TryGetValue(distinct, out set))
        {
            set = new InternedTags(distinct.ToArray(), Comparer.HashOf(distinct));
            _sets.Add(set);
        }
        return true;
    }

    /// <summary>Forgets a set that no series holds any more.</summary>
    public void Remove(InternedTags set) => _sets.Remove(set);

    private bool TryNormalise(string raw, [NotNullWhen(true)] out string? tag, out DropReason reason)
    {
        reason = default;
        if (_spellings.TryGetValue(raw, out tag))
        {
            return true;
        }
        tag = NameRules.Tag(raw, out reason);
        if (tag is null)
        {
            return false;
        }
        if (_spellings.Count == MaxSpellings)
        {
            _spellings.Clear();
        }
        _spellings.Add(raw, tag);
        return true;
    }

    private static ReadOnlySpan<string> Distinct(Span<string> sorted)
    {
        var kept = 0;
        for (var i = 0; i < sorted.Length; i++)
        {
            if (i == 0 || sorted[i] != sorted[kept - 1])
            {
                sorted[kept++] = sorted[i];
            }
        }
        return sorted[..kept];
    }

    private sealed class Comparer
        : IEqualityComparer<InternedTags>,
            IAlternateEqualityComparer<ReadOnlySpan<string>, InternedTags>
    {
        public static readonly Comparer Instance = new();

        public static int HashOf(ReadOnlySpan<string> tags)
        {
            var hash = new HashCode();
            foreach (var tag in tags)
            {
                hash.Add(tag, StringComparer.Ordinal);
            }
            return hash.ToHashCode();
        }

        public bool Equals(InternedTags? x, InternedTags? y) => ReferenceEquals(x, y) || Equals(x!.Tags, y!);

        public int GetHashCode(InternedTags set) => set.Hash;

        public bool Equals(ReadOnlySpan<string> tags, InternedTags set) => tags.SequenceEqual(set.Tags);

        public int GetHashCode(ReadOnlySpan<string> tags) => HashOf(tags);

        public InternedTags Create(ReadOnlySpan<string> tags) => new(tags.ToArray(), HashOf(tags));
    }
}
