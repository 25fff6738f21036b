using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// Reads what stands in the first braces of a query: <c>*</c>, tags joined by commas or <c>AND</c>, <c>OR</c>,
/// <c>NOT</c> and <c>!</c>, parentheses, wildcards.
/// </summary>
internal static class ScopeParser
{
    private const int MaxDepth = 64;

    public static Scope Parse(QueryCursor cursor, int depth = 0)
    {
        var scope = ParseAnd(cursor, depth);
        while (cursor.TryTakeWord("OR"))
        {
            scope = new Scope.Or(scope, ParseAnd(cursor, depth));
        }
        return scope;
    }

    private static Scope ParseAnd(QueryCursor cursor, int depth)
    {
        var scope = ParseOne(cursor, depth);
        while (TryTakeAnd(cursor))
        {
            scope = new Scope.And(scope, ParseOne(cursor, depth));
        }
        return scope;
    }

    private static bool TryTakeAnd(QueryCursor cursor)
    {
        cursor.SkipBlanks();
        return cursor.TryTake(',') || cursor.TryTakeWord("AND");
    }

    private static Scope ParseOne(QueryCursor cursor, int depth)
    {
        if (depth > MaxDepth)
        {
            throw cursor.Error($"more than {MaxDepth} levels");
        }
        cursor.SkipBlanks();
        if (cursor.TryTake('!') || cursor.TryTakeWord("NOT"))
        {
            return new Scope.Not(ParseOne(cursor, depth + 1));
        }
        if (cursor.TryTake('('))
        {
            var inner = Parse(cursor, depth + 1);
            cursor.Take(')', "to close the parenthesis");
            return inner;
        }
        var tag = cursor.TakeWhile(c => !char.IsWhiteSpace(c) && !",(){}!".Contains(c));
        if (tag.Length == 0)
        {
            throw cursor.Error("expected a tag or *");
        }
        if (tag[0] == '$')
        {
            throw cursor.Error($"template variables belong to dashboards; write a tag in place of {tag}");
        }
        return OfTag(NameRules.TagPattern(tag));
    }

    private static Scope OfTag(string tag) =>
        tag == "*" ? new Scope.Everything()
        : tag.Contains('*', StringComparison.Ordinal) ? new Scope.Wildcard(tag)
        : new Scope.Tag(tag);
}
