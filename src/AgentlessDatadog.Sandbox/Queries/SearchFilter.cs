using System.Globalization;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>Which spans, logs or events a search wants.</summary>
internal abstract record SearchFilter
{
    public abstract bool Matches(ISearchable item);

    /// <summary>Nothing asked, or <c>*</c>.</summary>
    public sealed record Everything : SearchFilter
    {
        public override bool Matches(ISearchable item) => true;
    }

    /// <summary>A field with one value, in which <c>*</c> is a wildcard. Attributes tell capitals apart.</summary>
    public sealed record Field(string Name, string Value) : SearchFilter
    {
        private readonly WildcardPattern _pattern = new(
            Value,
            Name.StartsWith('@') ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase
        );

        public override bool Matches(ISearchable item) => item.ValuesOf(Name).Any(value => _pattern.Fits(value));
    }

    /// <summary>Words without a field: in the message, in whatever case.</summary>
    public sealed record Text(string Words) : SearchFilter
    {
        private readonly WildcardPattern _pattern = new($"*{Words}*", StringComparison.OrdinalIgnoreCase);

        public override bool Matches(ISearchable item) => item.ValuesOf("").Any(value => _pattern.Fits(value));
    }

    /// <summary>A field that is a number within bounds, each included or not.</summary>
    public sealed record Range(string Name, double Min, bool HasMin, double Max, bool HasMax) : SearchFilter
    {
        public override bool Matches(ISearchable item) =>
            item.ValuesOf(Name)
                .Any(value =>
                    double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && (HasMin ? number >= Min : number > Min)
                    && (HasMax ? number <= Max : number < Max)
                );
    }

    public sealed record Not(SearchFilter Inner) : SearchFilter
    {
        public override bool Matches(ISearchable item) => !Inner.Matches(item);
    }

    public sealed record And(SearchFilter Left, SearchFilter Right) : SearchFilter
    {
        public override bool Matches(ISearchable item) => Left.Matches(item) && Right.Matches(item);
    }

    public sealed record Or(SearchFilter Left, SearchFilter Right) : SearchFilter
    {
        public override bool Matches(ISearchable item) => Left.Matches(item) || Right.Matches(item);
    }
}
