namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>Which tag sets a query looks at.</summary>
internal abstract record Scope
{
    public abstract bool Matches(ReadOnlySpan<string> tags);

    /// <summary><c>*</c></summary>
    public sealed record Everything : Scope
    {
        public override bool Matches(ReadOnlySpan<string> tags) => true;
    }

    /// <summary>One tag, written out.</summary>
    public sealed record Tag(string Text) : Scope
    {
        public override bool Matches(ReadOnlySpan<string> tags) => tags.BinarySearch(Text, StringComparer.Ordinal) >= 0;
    }

    /// <summary>A tag with <c>*</c> for any number of characters.</summary>
    public sealed record Wildcard(string Pattern) : Scope
    {
        private readonly string[] _parts = Pattern.Split('*');

        public override bool Matches(ReadOnlySpan<string> tags)
        {
            foreach (var tag in tags)
            {
                if (Fits(tag))
                {
                    return true;
                }
            }
            return false;
        }

        /// <summary>The first part at the start, the last at the end, the others in their order between.</summary>
        private bool Fits(ReadOnlySpan<char> tag)
        {
            var first = _parts[0];
            var last = _parts[^1];
            if (tag.Length < first.Length + last.Length || !tag.StartsWith(first) || !tag.EndsWith(last))
            {
                return false;
            }
            var rest = tag[first.Length..^last.Length];
            foreach (var part in _parts.AsSpan(1..^1))
            {
                var at = rest.IndexOf(part);
                if (at < 0)
                {
                    return false;
                }
                rest = rest[(at + part.Length)..];
            }
            return true;
        }
    }

    public sealed record Not(Scope Inner) : Scope
    {
        public override bool Matches(ReadOnlySpan<string> tags) => !Inner.Matches(tags);
    }

    public sealed record And(Scope Left, Scope Right) : Scope
    {
        public override bool Matches(ReadOnlySpan<string> tags) => Left.Matches(tags) && Right.Matches(tags);
    }

    public sealed record Or(Scope Left, Scope Right) : Scope
    {
        public override bool Matches(ReadOnlySpan<string> tags) => Left.Matches(tags) || Right.Matches(tags);
    }
}
