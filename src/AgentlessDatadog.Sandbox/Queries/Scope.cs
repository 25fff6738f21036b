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
        private readonly WildcardPattern _pattern = new(Pattern, StringComparison.Ordinal);

        public override bool Matches(ReadOnlySpan<string> tags)
        {
            foreach (var tag in tags)
            {
                if (_pattern.Fits(tag))
                {
                    return true;
                }
            }
            return false;
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
