using System.Buffers.Text;
using System.Globalization;
using System.Text;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// A search of spans, logs or events: between two times in nanoseconds since 1970, both included, in order of time, a page
/// at a time.
/// </summary>
internal sealed record SearchRequest
{
    public const int DefaultLimit = 10;
    public const int MaxLimit = 1_000;

    /// <summary>What the filter was read from.</summary>
    public required string Query { get; init; }
    public required SearchFilter Filter { get; init; }
    public required long From { get; init; }
    public required long To { get; init; }
    public bool IsAscending { get; init; }
    public int Limit { get; init; } = DefaultLimit;

    /// <summary>The last thing of the page before, or null for the first page.</summary>
    public SearchPosition? After { get; init; }

    /// <summary>One page, and where the next one begins; null when there is none.</summary>
    public (List<T> Page, SearchPosition? Next) Run<T>(IEnumerable<T> items)
        where T : ISearchable
    {
        var wanted = items.Where(item =>
            item.Time >= From && item.Time <= To && IsBeyond(item) && Filter.Matches(item)
        );
        var ordered = IsAscending
            ? wanted.OrderBy(item => item.Time).ThenBy(item => item.Sequence)
            : wanted.OrderByDescending(item => item.Time).ThenByDescending(item => item.Sequence);
        var page = ordered.Take(Limit + 1).ToList();
        if (page.Count <= Limit)
        {
            return (page, null);
        }
        page.RemoveAt(Limit);
        return (page, new SearchPosition(page[^1].Time, page[^1].Sequence));
    }

    private bool IsBeyond(ISearchable item)
    {
        if (After is not { } after)
        {
            return true;
        }
        var order = (item.Time, item.Sequence).CompareTo((after.Time, after.Sequence));
        return IsAscending ? order > 0 : order < 0;
    }
}

/// <summary>A place in a search's results, as the cursor of the next page.</summary>
internal readonly record struct SearchPosition(long Time, long Sequence)
{
    public override string ToString() =>
        Base64Url.EncodeToString(
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Time}.{Sequence}"))
        );

    /// <exception cref="ApiError">400: no cursor of ours.</exception>
    public static SearchPosition Parse(string cursor)
    {
        var bytes = new byte[64];
        return
            cursor.Length <= bytes.Length
            && Base64Url.IsValid(cursor)
            && Encoding.ASCII.GetString(bytes, 0, Base64Url.DecodeFromChars(cursor, bytes)).Split('.')
                is [var time, var sequence]
            && long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var nanoseconds)
            && long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new SearchPosition(nanoseconds, number)
            : throw ApiError.BadRequest("page.cursor: give the cursor of the page before");
    }
}
